"""What a render was made of, and how that differs from what the project says now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker.graph.step import From, Step
from covermaker.render.changes import told, told_of_files
from covermaker.render.naming import numbered_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.graph.run import PlannedStep
    from covermaker.project.document import Cover

FILE_NAME = "render.json"

_CERTIFICATE = "certificate"  # the export's input: a file whose name nobody knows

NEVER_RENDERED = "never rendered"
MADE_AGAIN = " is made again"


@dataclass(frozen=True)
class Verdict:
    """Why a step will run, or will not.

    Attributes
    ----------
    state : str
        ``"done"``, ``"to do"`` or ``"not needed"`` (its files are gone, but nothing asks for them).
    reasons : tuple of str
        What changed since the last render, by paths of the document.
    words : tuple of str
        The same for people: with the names of tracks and effects, and units.
    """

    step: Step
    state: str
    reasons: tuple[str, ...]
    words: tuple[str, ...] = ()

    @property
    def brief(self) -> str:
        """The reasons in a cell of a table: the first of many."""
        if len(self.words) <= 2:
            return "; ".join(self.words)
        return f"{self.words[0]} (and {len(self.words) - 1} more, see: covermaker why)"


def describe(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Write down what each step depended on: the ``steps`` of a ``render.json``."""
    return [
        {
            "name": step.name,
            "kind": step.kind,
            "version": step.version,
            "key": step.key,
            "params": dict(step.params),
            "inputs": step.input_hashes,
            "weights": dict(step.weights),
        }
        for step in steps
    ]


def only_follows(reason: str) -> bool:
    """Tell whether a reason is only that another step is made again."""
    return reason.endswith(MADE_AGAIN)


def last_render(out: Path) -> dict[str, dict[str, Any]]:
    """Read the steps of the last render by name; empty when there was none or its record cannot be read."""
    try:
        steps = json.loads((out / FILE_NAME).read_text(encoding="utf-8"))["steps"]
        return {step["name"]: step for step in steps}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def last_files(out: Path) -> dict[str, str]:
    """Read which files the last render wrote into `out`, and their sha256."""
    try:
        files = json.loads((out / FILE_NAME).read_text(encoding="utf-8"))["files"]
        return {str(file["name"]): str(file["sha256"]) for file in files if _inside(Path(file["name"]))}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _inside(name: Path) -> bool:
    return not name.is_absolute() and ".." not in name.parts


def compare(plan: Sequence[PlannedStep], before: dict[str, dict[str, Any]], cover: Cover) -> list[Verdict]:
    """Say for each planned step whether it will run, and what changed since the last render in the words of `cover`."""
    steps, reordered = _numbered(before, cover)
    return [
        _verdict(planned, steps.get(planned.step.name), steps, cover, reordered=reordered) for planned in plan
    ]


def _numbered(before: dict[str, dict[str, Any]], cover: Cover) -> tuple[dict[str, dict[str, Any]], bool]:
    try:
        steps, reordered = numbered_steps(list(before.values()), [track.name for track in cover.tracks])
    except (LookupError, TypeError, AttributeError):  # written by somebody else
        return before, False
    return dict(zip(before, steps, strict=True)), reordered


def _verdict(
    planned: PlannedStep,
    old: dict[str, Any] | None,
    before: dict[str, dict[str, Any]],
    cover: Cover,
    *,
    reordered: bool,
) -> Verdict:
    step = planned.step
    if planned.cached:
        return Verdict(step, "done", ())
    if not planned.needed:
        return Verdict(step, "not needed", ())
    if planned.again:
        return _verdict_of(step, ["asked for once more"])
    if old is None:
        return _verdict_of(step, ["new in this project" if before else NEVER_RENDERED])
    if old.get("key") == step.key:
        return _verdict_of(step, ["its files are no longer in the store"])
    params = told(step, old.get("params", {}), cover)
    rest = _changes(step, old, before)
    if reordered and "strips" in step.params:
        rest = ["tracks in another order", *rest]
    if not params and not rest:
        rest = ["the version of a part changed"]
    return _verdict_of(step, [line for line, _ in params] + rest, [words for _, words in params] + rest)


def _verdict_of(step: Step, reasons: list[str], words: list[str] | None = None) -> Verdict:
    return Verdict(step, "to do", tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(words or reasons)))


def _changes(step: Step, old: dict[str, Any], before: dict[str, dict[str, Any]]) -> list[str]:
    """Say what else than parameters is not what it was."""
    reasons = []
    if old.get("version") != step.version:
        reasons.append(f"Covermaker's '{step.kind}' changed (version {old.get('version')} -> {step.version})")
    for name, sha256 in step.weights.items():
        was = old.get("weights", {}).get(name)
        if was is None:
            reasons.append(f"now uses {name}")
        elif was != sha256:
            reasons.append(f"the weights of {name} changed")
    for name, digest in step.input_hashes.items():
        if old.get("inputs", {}).get(name) == digest:
            continue
        source = step.inputs[name]
        if name == _CERTIFICATE:
            if "credentials" in old.get("params", {}):  # else it is told that they are on now
                reasons.append("another certificate signs")
        elif not isinstance(source, From):
            if name in old.get("inputs", {}):
                reasons.append(f"{source.path.name} changed")
        elif before.get(source.step.name, {}).get("key") != source.step.key:
            reasons.append(f"'{source.step.name}'{MADE_AGAIN}")
        else:
            reasons.append(f"reads '{name}' from another step")
    if (
        _CERTIFICATE in old.get("inputs", {})
        and _CERTIFICATE not in step.inputs
        and "credentials" in step.params
    ):
        reasons.append("another certificate signs")
    known = [*old.get("inputs", {}), _CERTIFICATE]
    return reasons + told_of_files(step, known)
