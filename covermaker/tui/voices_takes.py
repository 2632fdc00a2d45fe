"""What is done with recordings on the Voices screen: a new voice made of some, more taken in, one kept or left out."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual import events, on, work
from textual.message import Message

from covermaker.audio.names import audio_in
from covermaker.errors import CovermakerError
from covermaker.tui.paths import dropped, start_folder
from covermaker.tui.voices_ask import Choice, ChooseAsk, NewVoice, NewVoiceAsk
from covermaker.tui.voices_dropped import look_into, why_nothing
from covermaker.tui.voices_jobs import Change, JobVoices
from covermaker.tui.voices_panes import TakeList
from covermaker.tui.words import one_line
from covermaker.voices.library import user_library

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from covermaker.tui.job_board import Job
    from covermaker.tui.voices_dropped import Dropped
    from covermaker.tui.voices_model import VoiceRow

_COUNT_SECONDS: Final = 1.0


class TakingVoices(JobVoices, inherit_bindings=False):
    """See the module."""

    @dataclass
    class Chose(Message):
        """Takes were kept or left out, or that was refused."""

        folder: Path
        files: tuple[str, ...]
        use: bool
        problem: str = ""
        is_new: bool = True
        is_changed: bool = True

    def __init__(self) -> None:
        super().__init__()
        self._picker_place = start_folder()
        self._new: dict[int, tuple[Sequence[Path], NewVoice]] = {}  # by the job that makes it

    def no_import(self) -> str | None:
        """Say why no recordings can be taken in."""
        if self.whole is None or not self.whole.row.is_ours:
            return "a shipped voice stays as it is: {voices.new} makes one of yours"
        if self.whole.document is None:
            return (
                self.whole.takes_problem
                or "its takes are not here: {voices.new} makes a voice from recordings, {voices.import-model} takes in "
                "a model"
            )
        return "recordings are being taken in" if self.busy("take-in") else None

    def no_scan(self) -> str | None:
        """Say why there is nothing to scan."""
        if self.whole is None or self.whole.document is None:
            return "there are no takes here"
        return "it is being scanned: {voices.cancel} cancels" if self.busy("scan") else None

    def action_new(self) -> None:
        """Choose a recording for a new voice."""
        self._pick("Recordings of a new voice", partial(self._begin_new, whole=True))

    def action_import(self) -> None:
        """Choose more recordings."""
        if self.whole is not None:
            self._pick("More recordings", partial(self._begin_import, self.whole.row))

    def _pick(self, title: str, then: Callable[[Sequence[Path]], object], **sought: Any) -> None:
        """Let files be chosen, from where the last ones were; `sought` as in `picker.pick`."""
        from covermaker.tui.picker import pick

        def picked(paths: Sequence[Path]) -> None:
            self._picker_place = paths[-1].parent
            then(paths)

        pick(self.app, self._picker_place, title, picked, **sought)

    def on_paste(self, event: events.Paste) -> None:
        """Take in what was dropped: for the voice whose takes have the focus, else for a new one."""
        event.stop()
        paths = dropped(event.text, folders=True)
        if not paths:
            first = next(iter(event.text.strip().splitlines()), "")
            said = f"there is no such file or folder: {one_line(first)}" if first else "nothing was dropped"
            self.app.say(said, "stale")
        else:
            self._look_into(paths)

    @work(group="voices-dropped", exit_on_error=False)
    async def _look_into(self, paths: Sequence[Path]) -> None:
        """Find out what was dropped, and begin what it is for."""
        at_takes = self.pane() is self.query_one(TakeList) and self.no_import() is None
        row = self.whole.row if at_takes and self.whole is not None else None
        found = await asyncio.to_thread(look_into, paths)
        if found.models and not found.has_sound:
            self.take_model(found)
        elif not found.has_sound:
            self.app.say(f"{one_line(paths[0].name)}: {why_nothing(paths)}", "stale")
        elif row is not None:
            self._take_in_more(row, paths)
        else:
            self._begin_new(paths)

    def take_model(self, found: Dropped) -> None:
        """Take in a voice of another program that was dropped."""
        raise NotImplementedError

    @work(group="voices-new", exit_on_error=False)
    async def _begin_new(
        self, paths: Sequence[Path], filled: NewVoice | None = None, problem: str = "", *, whole: bool = False
    ) -> None:
        """Ask about a new voice; `whole` offers all recordings of the folder of a single one."""
        folder = paths[0].parent if len(paths) == 1 and paths[0].is_file() else None
        beside = await asyncio.to_thread(_count_in, folder) if folder is not None else 0
        name = _suggested(folder if whole and folder is not None and beside > 1 else paths[0])
        taken = [row.name for row in self.rows.values() if row.place in ("library", "shipped")]
        form = NewVoiceAsk(
            paths, name, taken, folder=folder, beside=beside, whole=whole, filled=filled, problem=problem
        )
        self.app.push_screen(form, lambda wish: self._make(paths, wish) if wish is not None else None)

    def _make(self, paths: Sequence[Path], wish: NewVoice) -> None:
        try:
            folder = user_library() / wish.name
        except CovermakerError as error:
            self.app.say(str(error), "failed")
            return
        job = self.submit(
            "take-in", folder, paths=[str(path) for path in wish.paths], rights=wish.rights,
            statement=wish.statement, languages=list(wish.languages),
        )  # fmt: skip
        self._new[job.id] = paths, wish
        self.app.say(f"taking in the recordings of {one_line(wish.name)}", "run")

    def take_over(self) -> None:
        """Do what follows from jobs that have ended; of a new voice that was refused, bring the form back."""
        super().take_over()
        for number, (paths, wish) in list(self._new.items()):
            job = self.app.board.jobs.get(number)
            if job is not None and (not job.is_over or (job.state == "failed" and not self.is_active)):
                continue
            del self._new[number]
            if job is not None and job.state == "failed":
                self._begin_new(paths, wish, ": ".join(filter(None, (job.message, job.hint))))

    def answers(self, job: Job) -> bool:
        """Tell whether the form comes back with what was refused."""
        return job.state == "failed" and job.id in self._new

    @work(group="voices-import", exit_on_error=False)
    async def _begin_import(self, row: VoiceRow, paths: Sequence[Path]) -> None:
        file = paths[0]
        is_one = len(paths) == 1 and file.is_file()
        beside = await asyncio.to_thread(_count_in, file.parent) if is_one else 0
        if beside < 2:
            self._take_in_more(row, paths)
            return
        choices = [
            Choice("One", one_line(file.name), [file]),
            Choice(
                "All",
                f"all {beside} recordings of its folder; those that are here already stay",
                [file.parent],
            ),
        ]
        self.app.push_screen(
            ChooseAsk("Which recordings?", choices),
            lambda chosen: self._take_in_more(row, chosen) if chosen else None,
        )

    def _take_in_more(self, row: VoiceRow, paths: Sequence[Path]) -> None:
        """Take recordings in for the voice that was meant: by now another one may be selected."""
        self.submit("take-in", row.folder, paths=[str(path) for path in paths], add=True)
        self.app.say(f"taking in more recordings of {one_line(row.name)}", "run")

    def action_scan(self) -> None:
        """Scan the takes."""
        if self.whole is not None:
            self.submit("scan", self.whole.row.folder)
            self.app.say(f"scanning the takes of {one_line(self.whole.row.name)}", "run")

    @on(TakeList.Chosen)
    def _choose_take(self) -> None:
        name = self.query_one(TakeList).selected
        take = next((take for take in self.whole.takes if take.file == name), None) if self.whole else None
        if take is not None and self.whole is not None:
            self._choose(self.whole.row.folder, (take.file,), not take.use)

    @work(thread=True, group="voices-choose", exit_on_error=False)
    def _choose(self, folder: Path, files: tuple[str, ...], use: bool, is_new: bool = True) -> None:
        from covermaker.takes.choose import choose_takes

        try:
            changed = choose_takes(folder, files, use=use)
            self.post_message(self.Chose(folder, files, use, is_new=is_new, is_changed=bool(changed)))
        except CovermakerError as error:
            self.post_message(self.Chose(folder, files, use, str(error), is_new))

    @on(Chose)
    def _chose(self, message: Chose) -> None:
        self.look()
        if not message.is_new:
            self.turned(is_done=not message.problem)
        if message.problem:
            self.app.say(message.problem, "failed")
            return
        folder, files, use = message.folder, message.files, message.use
        words = f"{one_line(folder.name)}: {one_line(files[0])} {'kept' if use else 'left out'}"
        stopped = self.whole is not None and self.whole.watched.status == "stopped"
        self.app.say(words + ("; the stopped training cannot go on with other takes" if stopped else ""))
        if message.is_new and message.is_changed:  # a key that is pressed twice does nothing the second time
            self.remember(
                Change(
                    words,
                    lambda: self._choose(folder, files, not use, False),
                    lambda: self._choose(folder, files, use, False),
                )
            )


def _count_in(folder: Path) -> int:
    """Return how many recordings would be taken in with a folder; 0 of one too large to be meant."""
    until = time.monotonic() + _COUNT_SECONDS
    number = sum(1 for _ in audio_in(folder, is_enough=lambda: time.monotonic() > until))
    return number if time.monotonic() <= until else 0


def _suggested(path: Path) -> str:
    """Return a name for a voice, made of that of its recordings."""
    return re.sub(r"[^\w-]+", "-", path.stem.lower()).strip("-_")[:32]
