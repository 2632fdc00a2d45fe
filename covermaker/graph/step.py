"""What a step is: parameters, inputs, weights, and the function that makes its files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from covermaker.disk import file_sha256
from covermaker.graph.events import nobody
from covermaker.graph.key import seed_of, step_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from covermaker.graph.events import Listener
    from covermaker.progress import Progress

# What a step found out, kept in its meta.json: any JSON object.
Report: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class From:
    """An input that another step makes: one file of it."""

    step: Step
    file: str


@dataclass(frozen=True)
class Outside:
    """An input file from outside the store, known by its content."""

    path: Path

    @cached_property
    def sha256(self) -> str:
        """Content hash."""
        return file_sha256(self.path)


@dataclass(frozen=True)
class Work:
    """What a step's function gets.

    Attributes
    ----------
    folder : Path
        Empty folder; every file left in it is an output.
    inputs : dict of str to Path
        The inputs by name.
    progress : callable
        Takes the finished fraction.
    seed : int
        Derived from the key.
    device : str
        Where networks should run: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``; never part of the key.
    tell : callable
        Takes events of the step's own, for those who listen to the run: notes as they come, stages of a long step.
    """

    folder: Path
    inputs: Mapping[str, Path]
    progress: Progress
    seed: int
    device: str = "auto"
    tell: Listener = nobody


@dataclass(frozen=True, eq=False)
class Step:
    """One cached step.

    Parameters
    ----------
    name : str
        What people read: ``"rack: vocals"``. Not part of the key.
    kind : str
        What it does: ``"rack"``. Part of the key.
    version : int
        Raised whenever the same parameters give another result.
    params : dict
        JSON values. See `key.LEFT_OUT` for what may not be here.
    inputs : dict of str to From or Outside
        By the name that the function uses.
    weights : dict of str to str
        sha256 of every weight file used, by a name for people.
    run : callable
        Writes files into ``work.folder`` and returns a report.
    cost : float
        Rough seconds per minute of song on two cores, for the dry run's estimate.
    beside : bool
        It may run on a thread beside others of its kind: it takes little memory, no device, and one core.
    """

    name: str
    kind: str
    version: int
    params: Mapping[str, Any]
    inputs: Mapping[str, From | Outside]
    run: Callable[[Work], Report] = field(repr=False)
    weights: Mapping[str, str] = field(default_factory=dict)
    cost: float = 1.0
    beside: bool = False

    @cached_property
    def key(self) -> str:
        """The sha256 that names this step's result."""
        return step_key(self.kind, self.version, self.params, self.input_hashes, self.weights)

    @cached_property
    def input_hashes(self) -> dict[str, str]:
        """Content hash, or key and file of the making step, of each input."""
        return {
            name: f"{source.step.key}/{source.file}" if isinstance(source, From) else source.sha256
            for name, source in self.inputs.items()
        }

    @property
    def seed(self) -> int:
        """The seed that belongs to the key."""
        return seed_of(self.key)

    def upstream(self) -> list[Step]:
        """List the steps whose files this one reads, each once."""
        seen: dict[int, Step] = {}
        for source in self.inputs.values():
            if isinstance(source, From):
                seen[id(source.step)] = source.step
        return list(seen.values())
