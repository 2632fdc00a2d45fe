"""One process trains a voice, or several do: what they must agree on.

``torchrun`` starts several; each draws batches of its own, and the gradients are averaged before every step, so that
all of them hold the same weights at all times. The first one *leads*: it alone prepares the takes, scores, writes and
speaks. Whatever one of them meets, they meet together: a loss that is no number, memory that ran out, an early end.

`Crew` is one process, for which there is nothing to agree on; `Several` is torch.distributed.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from covermaker.errors import CovermakerError, ExitCode, ResourceError, UsageError
from covermaker.weights.device import is_out_of_memory, pick_device, torch_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import torch

T = TypeVar("T")

# The others wait while the leader prepares and scores, which may take hours. One that died does not make them wait:
# torchrun then ends them all.
_PATIENCE = timedelta(days=7)


class ElsewhereError(CovermakerError):
    """The leading process ended with an error and has said so; this one ends with the same exit code."""


class Crew:
    """One process: it leads, and every question has its own answer."""

    rank = 0
    size = 1

    @property
    def leads(self) -> bool:
        """Whether this process prepares, scores, writes and speaks."""
        return self.rank == 0

    def device(self, preference: str) -> str:
        """Choose where this process trains; see `pick_device`."""
        return pick_device(preference)

    def led(self, work: Callable[[], T]) -> T:
        """Let the leader do something while the others wait; what it returns, or raises, is everybody's."""
        return work()

    def from_leader(self, value: float) -> float:
        """Return the leader's number."""
        return value

    def everyone(self, value: T) -> list[T]:
        """Return the values of all processes, the leader's first."""
        return [value]

    def average(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the mean of each number over all processes: no number when one of them is none."""
        return dict(values)

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace all gradients by their mean over all processes."""

    def same_start(self, network: torch.nn.Module) -> None:
        """Give every process the leader's weights."""

    def together(self, work: Callable[[], T]) -> T:
        """Do something that may run out of memory; when it does in one process, it does in all.

        No process may wait for another inside `work`.
        """
        return work()

    def close(self) -> None:
        """End the talk between the processes."""


ALONE = Crew()


class Several(Crew):
    """The processes of a ``torchrun``, over gloo between CPUs and NCCL between GPUs.

    Parameters
    ----------
    preference : str
        As `pick_device` takes it; of several GPUs each process takes its own.
    """

    def __init__(self, preference: str = "auto") -> None:
        import torch.distributed as talk

        self.torch, self.talk = torch_ready(), talk
        self.rank, self.size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        if preference.startswith("cuda:"):
            raise UsageError(
                f"--device {preference} is one GPU, and {self.size} processes train",
                hint="--device cuda gives each its own",
            )
        self.where = self._own_device(preference)
        if cuda := self.where.startswith("cuda"):
            self.torch.cuda.set_device(self.where)
        try:
            # Numbers and objects go between the CPUs, gradients between wherever they are.
            talk.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=_PATIENCE)
        except (RuntimeError, ValueError) as error:
            raise ResourceError(
                f"the processes do not find each other: {error}",
                hint="start them with: torchrun --nproc-per-node N -m covermaker train VOICE",
            ) from error

    def _own_device(self, preference: str) -> str:
        where = pick_device(preference)
        if where == "mps":
            if preference != "auto":
                raise ResourceError("several processes cannot train on mps", hint="use --device cpu")
            return "cpu"
        if where != "cuda":
            return where
        here, count = int(os.environ.get("LOCAL_RANK", self.rank)), int(self.torch.cuda.device_count())
        if here >= count:
            raise ResourceError(
                f"process {here + 1} of this machine finds {count} GPUs",
                hint=f"start no more: torchrun --nproc-per-node {count}; or use --device cpu",
            )
        return f"cuda:{here}"

    def device(self, preference: str) -> str:
        """Return this process's own GPU, or the CPU."""
        return self.where

    def led(self, work: Callable[[], T]) -> T:
        """Let the leader do something while the others wait; see `Crew.led`. The result must be picklable."""
        if not self.leads:
            good, value = self._hear(None)
            if not good:
                error = ElsewhereError("the leading process ended with an error")
                error.exit_code = ExitCode(value)  # type: ignore[misc]
                raise error
            done: T = value
            return done
        try:
            done = work()
        except CovermakerError as error:
            self._hear((False, int(error.exit_code)))
            raise
        except Exception:
            self._hear((False, int(ExitCode.INTERNAL)))
            raise
        self._hear((True, done))
        return done

    def _hear(self, said: Any) -> Any:
        held = [said]
        self.talk.broadcast_object_list(held, src=0, device=self.torch.device("cpu"))
        return held[0]

    def from_leader(self, value: float) -> float:
        """Return the leader's number."""
        held = self.torch.tensor([value], dtype=self.torch.float64)
        self.talk.broadcast(held, src=0)
        return float(held)

    def everyone(self, value: T) -> list[T]:
        """Return the values of all processes, the leader's first."""
        held: list[Any] = [None] * self.size
        self.talk.all_gather_object(held, value)
        return held

    def average(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the mean of each number over all processes."""
        held = self.torch.tensor(list(values.values()), dtype=self.torch.float64)
        self.talk.all_reduce(held)
        return dict(zip(values, (held / self.size).tolist(), strict=True))

    def average_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace all gradients by their mean over all processes, in one message; may run out of memory in all."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = self.together(lambda: self.torch.cat([gradient.reshape(-1) for gradient in gradients]))
        self.talk.all_reduce(flat)
        flat /= self.size
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def same_start(self, network: torch.nn.Module) -> None:
        """Give every process the leader's weights."""
        with self.torch.no_grad():
            for tensor in network.state_dict().values():
                self.talk.broadcast(tensor, src=0)

    def together(self, work: Callable[[], T]) -> T:
        """Do something that may run out of memory; see `Crew.together`."""
        short: BaseException | None = None
        try:
            done = work()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            short = error
        held = self.torch.tensor([short is not None], dtype=self.torch.int32)
        self.talk.all_reduce(held)
        if short is not None:
            raise short
        if int(held):
            raise MemoryError("another process is out of memory")
        return done

    def close(self) -> None:
        """End the talk between the processes."""
        self.talk.destroy_process_group()


def started_by_torchrun() -> bool:
    """Tell whether this process is one of several that ``torchrun`` started.

    Its own name for the run is asked for: other launchers set a world's size, too, without meaning us.
    """
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def speaks() -> bool:
    """Tell whether this process talks to the person: alone, or as the first of a ``torchrun``."""
    return not started_by_torchrun() or os.environ.get("RANK", "0") == "0"


def cores_each(workers: int) -> int:
    """Return how many of `workers` cores each process of this machine trains on."""
    return (
        max(1, workers // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))) if started_by_torchrun() else workers
    )
