"""The names of tracks in what a render leaves for people and programs.

No key of a step knows a name: what steps depend on and what they report has numbers, ``track 0``. A ``render.json`` has
the names instead; to be compared with a project as it is now, it is given the numbers that the project has for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Step = Mapping[str, Any]

_TRACK = "track"


def number_of(index: int) -> str:
    """Return what steps call a track, counted from 0."""
    return f"{_TRACK} {index}"


def named_text(text: str, tracks: Sequence[str]) -> str:
    """Return a note of a step with the names of tracks: ``track 'vocals' is muted``."""
    for index, name in enumerate(tracks):
        text = text.replace(f"{number_of(index)} ", f"{_TRACK} '{name}' ")
    return text


def named_reports(reports: Mapping[str, Any], tracks: Sequence[str]) -> dict[str, Any]:
    """Return what the steps report with the names of tracks."""
    names = {number_of(index): name for index, name in enumerate(tracks)}
    return {step: _named_report(report, names, tracks) for step, report in reports.items()}


def _named_report(report: Any, names: Mapping[str, str], tracks: Sequence[str]) -> Any:
    if not isinstance(report, dict):
        return report
    found = dict(report)
    if isinstance(report.get("notes"), list):
        found["notes"] = [named_text(str(text), tracks) for text in report["notes"]]
    if isinstance(report.get("tracks"), list):
        found["tracks"] = [{**row, "name": names.get(row["name"], row["name"])} for row in report["tracks"]]
    return found


def named_steps(steps: Sequence[Step], tracks: Sequence[str]) -> list[dict[str, Any]]:
    """Return what `covermaker.render.record.describe` says of steps with the names of tracks."""
    return [_renamed(step, {number_of(index): name for index, name in enumerate(tracks)}) for step in steps]


def numbered_steps(steps: Sequence[Step], tracks: Sequence[str]) -> tuple[list[dict[str, Any]], bool]:
    """Give the tracks of a record the numbers that they have in a project now.

    A track that is not there any more, in whose place stands one that is new, has got another name.

    Parameters
    ----------
    steps : sequence of mapping
        From a record; one from before it had names is left as it is.
    tracks : sequence of str
        The tracks of the project, in their order.

    Returns
    -------
    list of dict
        The steps, their strips in the order of the tracks.
    bool
        Whether the tracks that stayed are in another order now.
    """
    before = [
        str(row["name"])
        for step in steps
        for row in step["params"].get("strips", ())
        if row.get("kind") == _TRACK
    ]
    before = list(dict.fromkeys(before))
    if all(name == number_of(index) for index, name in enumerate(before)):
        return [dict(step) for step in steps], False
    left = len(tracks)
    numbers: dict[str, int] = {}
    for index, name in enumerate(before):
        if name in tracks:
            numbers[name] = tracks.index(name)
        elif index < len(tracks) and tracks[index] not in before:
            numbers[name] = index
        else:
            numbers[name], left = left, left + 1
    stayed = [numbers[name] for name in before if numbers[name] < len(tracks)]
    others = {name: number_of(number) for name, number in numbers.items()}
    return [_sorted(_renamed(step, others), others) for step in steps], stayed != sorted(stayed)


def _sorted(step: dict[str, Any], numbered: Mapping[str, str]) -> dict[str, Any]:
    strips = step["params"].get("strips")
    if not isinstance(strips, list):
        return step
    tracks = [row for row in strips if row.get("kind") == _TRACK]
    tracks.sort(
        key=lambda row: int(str(row["name"]).rpartition(" ")[2]) if row["name"] in numbered.values() else 0
    )
    rest = [row for row in strips if row.get("kind") != _TRACK]
    return {**step, "params": {**step["params"], "strips": [*tracks, *rest]}}


def _renamed(step: Step, others: Mapping[str, str]) -> dict[str, Any]:
    """Return a step whose tracks go by their other names: as strips, as inputs, as channels of stems."""
    params = dict(step["params"])
    if isinstance(params.get("strips"), list):
        params["strips"] = [_renamed_strip(row, others) for row in params["strips"]]
    if isinstance(params.get("channels"), dict):
        channels = {f"{_TRACK} {name}": f"{_TRACK} {other}" for name, other in others.items()}
        params["channels"] = {channels.get(key, key): row for key, row in params["channels"].items()}
    inputs = {_input(name): _input(other) for name, other in others.items()}
    return {
        **step,
        "params": params,
        "inputs": {inputs.get(name, name): digest for name, digest in step["inputs"].items()},
    }


def _renamed_strip(row: Mapping[str, Any], others: Mapping[str, str]) -> dict[str, Any]:
    """Return a strip of a track under its other name, and whatever listens to it; groups and buses have their own."""
    found = dict(row)
    if row.get("kind") == _TRACK:
        found["name"] = others.get(row["name"], row["name"])
    found["listens_to"] = [others.get(name, name) for name in row.get("listens_to", [])]
    return found


def _input(track: str) -> str:
    """Return what the input of a track is called: by its number, or with its name behind the word."""
    return track if track.startswith(f"{_TRACK} ") else f"{_TRACK} {track}"
