"""Work on a stream of blocks beside the thread that makes them: `Beside` takes blocks off, `through` gives them back.

Both keep the order, so that a result has the same bits as without them, and what fails on the thread is raised by the
one that feeds it. One thread more, not several: those that compute mostly wait for Python's lock then.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Future
    from types import TracebackType

T = TypeVar("T")
Made = TypeVar("Made")


class Beside(Generic[T]):
    """Calls `consume` for every item pushed, one after the other and in order, on a thread of its own.

    Use it as a context: a clean end waits for all items; when its body raises, those not begun are dropped. The
    thread has ended in either case.

    Parameters
    ----------
    consume : callable
        What it raises comes out of a later `push`, or of the end of the context.
    waiting : int
        So many items may wait; with one more, `push` waits itself. Bounds the memory.
    """

    def __init__(self, consume: Callable[[T], object], *, waiting: int = 4) -> None:
        self._consume = consume
        self._waiting = waiting
        self._pushed: deque[Future[object]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="beside")

    def push(self, item: T) -> None:
        """Hand over the next item; neither side may change it from here on."""
        if len(self._pushed) > self._waiting:
            self._pushed.popleft().result()
        self._pushed.append(self._pool.submit(self._consume, item))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while kind is None and self._pushed:
                self._pushed.popleft().result()
        finally:
            self._pool.shutdown(cancel_futures=True)


def through(
    make: Callable[[T], Made], items: Iterable[T], *, waiting: int = 2, threads: int = 1
) -> Generator[Made, None, None]:
    """Yield what `make` makes of each item, in order; it runs on threads of its own while the next items come.

    Close the generator, or read it to its end: the thread has ended then.

    Parameters
    ----------
    make : callable
        What it raises comes out in place of its result.
    items : iterable
        Read on the caller's thread.
    waiting : int
        So many results may be under way while the next item is made. Bounds the memory.
    threads : int
        More than one only pay for work outside Python's lock.
    """
    begun: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="beside")
    try:
        for item in items:
            begun.append(pool.submit(make, item))
            if len(begun) > waiting:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
