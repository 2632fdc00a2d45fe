"""Threads along a stream of blocks: `Ahead` makes them before they are asked for, `Beside` takes them off one's hands.

Both keep the order, so that a result has the same bits as without them; what fails on the thread is raised where its
block would have come out. numpy and the audio libraries work without Python's lock, so this is real time won.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, Self, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from types import TracebackType

T = TypeVar("T")

_END = object()


class Ahead(Generic[T]):
    """Runs an iterator on a thread of its own, a few items ahead of who reads them.

    Use it as a context and iterate over it once. Leaving the context ends the thread, also when items are left; the
    iterator is closed then, so that its files are.

    Parameters
    ----------
    source : iterator
        What it raises comes out of the iteration, after the items before it.
    waiting : int
        So many items are made ahead. Bounds the memory.
    """

    def __init__(self, source: Iterator[T], *, waiting: int = 2) -> None:
        self._source = source
        self._waiting = waiting
        self._asked: deque[Future[T | object]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")

    def __iter__(self) -> Iterator[T]:
        for _ in range(self._waiting):
            self._ask()
        while True:
            self._ask()
            item = self._asked.popleft().result()
            if item is _END:
                return
            yield cast("T", item)

    def _ask(self) -> None:
        self._asked.append(self._pool.submit(next, self._source, _END))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        close = getattr(self._source, "close", None)
        if close is not None:
            close()


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
