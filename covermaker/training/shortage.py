"""When memory runs out in a step: a batch is cut into smaller parts; what cannot be cut ends in a line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from covermaker.errors import ResourceError
from covermaker.weights.device import is_out_of_memory, torch_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from covermaker.training.loop import Trainer

T = TypeVar("T")

_HINT = "close other programs, or train with --device cpu"


def in_parts(trainer: Trainer, work: Callable[[], T]) -> T:
    """Do something with a batch; on running out of memory, cut it in half and try again.

    Raises
    ------
    ResourceError
        When not even a single cut fits.
    """
    while True:
        try:
            return work()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if trainer.pieces >= trainer.batch_size:
                seconds = trainer.recipe.clip_frames / 100
                raise ResourceError(
                    f"out of memory at step {trainer.step}: not even one cut of {seconds:g} s fits",
                    hint=_HINT,
                ) from error
            trainer.pieces = min(trainer.batch_size, 2 * trainer.pieces)
            if trainer.device.startswith("cuda"):
                torch_ready().cuda.empty_cache()


@contextmanager
def never_in_parts(step: int, what: str) -> Iterator[None]:
    """Turn memory that runs out into a line: smaller parts would not help, or come too late."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ResourceError(f"out of memory at step {step}: {what} does not fit", hint=_HINT) from error
