"""Where nodes leave what is of the moment, and how the driver fetches it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

# A song, the node that works for it, and an event as JSON.
Said: TypeAlias = tuple[int, str, str]

# What nobody has fetched is not worth keeping: the ends of steps and songs come another way.
_MOST: Final = 2000

_TAKE_SECONDS: Final = 20.0


class Post:
    """An actor of Ray, of which a batch has one."""

    def __init__(self) -> None:
        self._said: deque[Said] = deque(maxlen=_MOST)
        self._some = asyncio.Event()

    async def put(self, song: int, node: str, line: str) -> None:
        """Take an event, as JSON; the oldest goes when there are too many."""
        self._said.append((song, node, line))
        self._some.set()

    async def take(self, seconds: float) -> list[Said]:
        """Give all there is; waits so long for something."""
        if not self._said:
            try:
                await asyncio.wait_for(self._some.wait(), seconds)
            except TimeoutError:
                return []
        self._some.clear()
        said = list(self._said)
        self._said.clear()
        return said


class Mail:
    """The driver's side.

    Parameters
    ----------
    ray : module
        Connected.
    take : callable
        Gets what was fetched, from another thread; nothing, when the actor is on its way to another node.
    """

    def __init__(self, ray: Any, take: Callable[[list[Said]], None]) -> None:
        self.post = ray.remote(Post).options(num_cpus=0, max_restarts=-1).remote()
        self._take = take
        self._fetching = False
        self.fetch()

    def fetch(self) -> None:
        """Fetch what there is, or will be; once at a time."""
        if not self._fetching:
            self._fetching = True
            self.post.take.remote(_TAKE_SECONDS).future().add_done_callback(self._came)

    def _came(self, done: Any) -> None:
        self._fetching = False
        self._take([] if done.exception() is not None else done.result())
