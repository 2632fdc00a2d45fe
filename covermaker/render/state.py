"""How it stands with a project, for a list of many: done, stale and why, new, or not to be rendered at all.

Finding out hashes the song and asks the store, some tenths of a second. So it is remembered, in the user's cache
folder, together with what it depends on: the document, the song and other files it names, the card of each voice, the
last render's record and files, and which of the steps are in the store. While all of these are as they were, the answer
is too. Weights that somebody replaced under the same version of Covermaker are not looked at here; a render does.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from covermaker import __version__
from covermaker.audio.files import probe
from covermaker.errors import CovermakerError
from covermaker.features.song.facts import SongFacts, facts_of, known_facts
from covermaker.graph.memory import recall, remember
from covermaker.graph.run import plan
from covermaker.graph.step import Outside
from covermaker.project.load import FILE_NAME, folder_of, hidden_folder, load
from covermaker.render import record
from covermaker.render.ending import last_failure
from covermaker.render.pipeline import build
from covermaker.render.unheard import unheard
from covermaker.voices.card import CARD_FILE
from covermaker.voices.library import user_library

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from covermaker.graph.store import Store
    from covermaker.project.load import Project
    from covermaker.render.pipeline import River
    from covermaker.render.record import Verdict

VERSION = 5
_KIND = "states"


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of a project's render: ``"done"`` or ``"to do"``.

    Attributes
    ----------
    reasons : tuple of str
        Why it is to do, by paths of the document.
    words : tuple of str
        The same for people.
    seconds : float or None
        How long it took when it was made.
    key : str
        Its key in the store; "" where nobody has worked it out.
    """

    name: str
    kind: str
    state: str
    reasons: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    seconds: float | None = None
    key: str = ""

    @property
    def is_new(self) -> bool:
        """Whether it was never made in this project."""
        return self.reasons == (record.NEVER_RENDERED,)

    @property
    def follows(self) -> bool:
        """Whether it is to do only because others are made again."""
        return bool(self.reasons) and all(map(record.only_follows, self.reasons))


@dataclass(frozen=True, slots=True)
class Output:
    """A file of the last render, and when it was written, in seconds since the epoch."""

    file: Path
    made: float
    bytes: int


@dataclass(frozen=True, slots=True)
class State:
    """How it stands with a project.

    Attributes
    ----------
    word : str
        ``"done"``; ``"stale"``: rendered once, and the next render would make another; ``"new"``: never rendered;
        ``"failed"``: it cannot be rendered, or the last render failed; `problem` and `hint` say why.
    otherwise : str
        Of a project whose last render failed: what the word would be without that, ``"stale"`` or ``"new"``.
    failed_at : float or None
        When the last render failed, in seconds since the epoch; None for a project that cannot be rendered as it is.
    song : Path or None
        The song's file.
    seconds, sample_rate, channels
        Of the song.
    facts : SongFacts or None
        Key, tempo and loudness, once somebody has measured them (`covermaker.features.song.facts.song_facts`).
    separator : str
        How the song is separated.
    stems : tuple of str
        Into what.
    steps : tuple of StepState
        What a render consists of, in order; what nobody needs is left out.
    missing : tuple of str
        Files of the last render that are no longer in ``out``.
    outputs : tuple of Output
        Those that are.
    lufs, true_peak_dbtp : float or None
        How the last render measures.
    estimate_seconds : float
        What a render would take, roughly, on two cores.
    unheard : str
        Why no voice is heard in the cover; "" where one is.
    """

    word: str
    problem: str = ""
    hint: str = ""
    song: Path | None = None
    seconds: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    facts: SongFacts | None = None
    separator: str = ""
    stems: tuple[str, ...] = ()
    steps: tuple[StepState, ...] = ()
    missing: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    lufs: float | None = None
    true_peak_dbtp: float | None = None
    estimate_seconds: float = 0.0
    failed_at: float | None = None
    otherwise: str = ""
    unheard: str = ""

    @property
    def is_stale(self) -> bool:
        """Whether it was rendered once and the next render would make another, be it that the last one failed."""
        return "stale" in (self.word, self.otherwise)

    def has_outlived(self, key: str, when: float) -> bool:
        """Tell whether a failure is over: the cover was made since, or no step has the key of the one that failed.

        Parameters
        ----------
        key : str
            Of the step; "" where nobody knows it.
        when : float
            Seconds since the epoch.
        """
        if any(output.made > when for output in self.outputs):
            return True
        keys = {step.key for step in self.steps if step.key}
        return bool(key and keys) and key not in keys

    @property
    def to_do(self) -> tuple[StepState, ...]:
        """The steps that a render would make."""
        return tuple(step for step in self.steps if step.state == "to do")

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not done, by paths of the document, without what only follows from something else."""
        return self._own(step.reasons for step in self.to_do)

    @property
    def words(self) -> tuple[str, ...]:
        """The same for people."""
        return self._own(step.words for step in self.to_do)

    def _own(self, told: Iterable[Sequence[str]]) -> tuple[str, ...]:
        said = dict.fromkeys(reason for lines in told for reason in lines)
        lost = [f"{name} is gone from out" for name in self.missing]
        return (*(reason for reason in said if not record.only_follows(reason)), *lost)


def project_state(folder: Path, store: Store) -> State:
    """Find out, or remember, how it stands with a project. What is wrong with it is part of the answer.

    Parameters
    ----------
    folder : Path
        The project, or its ``cover.toml``.
    store : Store
        Where finished steps are looked for.
    """
    folder = folder_of(folder)
    state = _project_state(folder, store)
    if state.word not in {"stale", "new"}:
        return state
    failure = last_failure(hidden_folder(folder))
    if failure is None or state.has_outlived(failure.key, failure.when):
        return state
    return replace(
        state, word="failed", problem=failure.words, hint=failure.hint, failed_at=failure.when,
        otherwise=state.word,
    )  # fmt: skip


def _project_state(folder: Path, store: Store) -> State:
    name = f"{folder.absolute()}|{store.root}"
    kept = recall(_KIND, name)
    known = _still_true(kept, store) if kept is not None else None
    if known is not None:
        return known
    marks = _marks([folder / FILE_NAME, folder / "out" / record.FILE_NAME, folder / "voices", user_library()])
    base = State("failed")
    try:
        project = load(folder)
        base = at_a_glance(project)
        river = build(project)
        verdicts = record.compare(
            plan(store, river.targets()), record.last_render(project.out), project.cover
        )
        state = _state(base, river, verdicts, store)
    except CovermakerError as error:
        return replace(base, word="failed", problem=error.message, hint=error.hint or "")
    except OSError as error:
        return replace(base, word="failed", problem=f"{error.filename or folder}: {error.strerror}")
    song = river.decode.inputs["song"]
    assert isinstance(song, Outside)
    if river.checked.trainee is None:  # takes are many files; whether they changed is asked anew each time
        keys = {verdict.step.key: _is_stored(verdict.step.key, store) for verdict in verdicts}
        files = marks | _marks(_files_of(river)) | _marks([output.file for output in state.outputs])
        remember(
            _KIND,
            name,
            {
                "version": [VERSION, __version__],
                "files": files,
                "steps": keys,
                "song_sha256": song.sha256,
                "state": asdict(replace(state, song=None, outputs=()))
                | {
                    "song": str(state.song),
                    "outputs": [[str(o.file), o.made, o.bytes] for o in state.outputs],
                },
            },
        )
    return replace(state, facts=facts_of(song.sha256))


def _still_true(kept: dict[str, Any], store: Store) -> State | None:
    """Return what was remembered, if nothing that it depends on has changed."""
    try:
        if kept["version"] != [VERSION, __version__]:
            return None
        if any(_is_stored(key, store) != stored for key, stored in kept["steps"].items()):
            return None
        if any(_mark(file) != mark for file, mark in kept["files"].items()):
            return None
        values = kept["state"]
        steps = tuple(
            StepState(**{**row, "reasons": tuple(row["reasons"]), "words": tuple(row["words"])})
            for row in values["steps"]
        )
        outputs = tuple(Output(Path(file), made, size) for file, made, size in values["outputs"])
        lists = {key: tuple(values[key]) for key in ("stems", "missing")}
        whole = {**values, **lists, "steps": steps, "outputs": outputs, "song": Path(values["song"])}
        return State(**{**whole, "facts": facts_of(kept["song_sha256"])})
    except (LookupError, TypeError, AttributeError):
        return None


def at_a_glance(project: Project) -> State:
    """Return what can be said of a project whatever its steps are: of its song and of its last render."""
    state = replace(
        State("failed", separator=project.cover.stems.separator, unheard=unheard(project.cover)),
        **_last_render(project),
    )
    try:
        song = project.path(project.cover.song.file, "song.file")
        info = probe(song)
    except CovermakerError as error:
        return replace(state, problem=error.message, hint=error.hint or "")
    return replace(
        state, song=song, seconds=info.seconds, sample_rate=info.sample_rate, channels=info.channels,
        facts=known_facts(song),
    )  # fmt: skip


def _state(base: State, river: River, verdicts: list[Verdict], store: Store) -> State:
    steps = tuple(_step(verdict, store) for verdict in verdicts if verdict.state != "not needed")
    to_do = [verdict.step for verdict in verdicts if verdict.state == "to do"]
    rendered = bool(record.last_render(river.checked.project.out))
    done = not to_do and not base.missing
    return replace(
        base,
        word="done" if done and rendered else "stale" if rendered else "new",
        problem="",
        hint="",
        stems=river.checked.stems,
        steps=steps,
        facts=None,
        estimate_seconds=sum(step.cost for step in to_do) * (base.seconds or 0.0) / 60.0,
    )


def _step(verdict: Verdict, store: Store) -> StepState:
    entry = store.get(verdict.step.key) if verdict.state == "done" else None
    seconds = float(entry.meta["seconds"]) if entry else None
    step = verdict.step
    return StepState(step.name, step.kind, verdict.state, verdict.reasons, verdict.words, seconds, step.key)


def _last_render(project: Project) -> dict[str, Any]:
    """Return what the record of the last render says; nothing where there is none."""
    try:
        said = json.loads((project.out / record.FILE_NAME).read_text(encoding="utf-8"))
        levels = {
            "lufs": said["loudness"]["integrated_lufs"],
            "true_peak_dbtp": said["loudness"]["true_peak_dbtp"],
        }
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    outputs, missing = [], []
    for name in record.last_files(project.out):
        try:
            found = (project.out / name).stat()
            outputs.append(Output(project.out / name, found.st_mtime, found.st_size))
        except OSError:
            missing.append(name)
    return {**levels, "outputs": tuple(outputs), "missing": tuple(missing)}


def _files_of(river: River) -> list[Path]:
    """List the files outside of the store that the steps were made of."""
    checked = river.checked
    files = [
        source.path
        for step in river.steps()
        for source in step.inputs.values()
        if isinstance(source, Outside)
    ]
    for singer in (checked.lead, *checked.others.values()):
        if singer is not None and singer.voice is not None:
            files += [singer.voice.folder / CARD_FILE, singer.voice.weights_path]
    return [*files, checked.guide] if checked.guide else files


def _marks(files: Sequence[Path]) -> dict[str, list[int] | None]:
    return {str(file): _mark(file) for file in files}


def _mark(file: Path | str) -> list[int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ino]


def _is_stored(key: str, store: Store) -> bool:
    return os.path.isdir(store.root / "steps" / key)
