"""The Presets screen: racks, masters and voice settings to apply, compare, hear, copy and change."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from textual import work
from textual.app import SuspendNotSupported
from textual.worker import WorkerFailed

from covermaker.effects.preset_files import free_name
from covermaker.errors import CovermakerError
from covermaker.tui import presets_changes, presets_model
from covermaker.tui.ask import AskName
from covermaker.tui.editor import edit_file
from covermaker.tui.keymap import bindings
from covermaker.tui.presets_hearing import PresetsHearing
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.effects.presets import Kind
    from covermaker.tui.presets_changes import Change


class PresetsScreen(PresetsHearing, inherit_bindings=False):
    """The presets."""

    SCREEN = "presets"
    BINDINGS = bindings("presets")
    SCOPED_CSS = False
    CSS = """
    #presets { height: 1fr; layout: horizontal; }
    Presets { width: 37; height: 1fr; }
    PresetDetails { width: 1fr; height: 1fr; }
    .-wide Presets { width: 42; }
    .-huge Presets { width: 52; }
    .-tiny Presets, .-tiny PresetDetails, .-flat Presets, .-flat PresetDetails { display: none; width: 1fr; }
    .-tiny #presets > .-current, .-flat #presets > .-current { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._filing = asyncio.Lock()  # files are changed one after the other, in the order of the keys

    def no_edit(self) -> str | None:
        """Say why no editor can be opened."""
        return "in a browser there is no editor" if self.app.is_web else self.no_own()

    def no_update(self) -> str | None:
        """Say why a preset cannot take over what the song has."""
        return self.no_own() or self.no_preset() or self.no_song()

    def action_stop(self) -> None:
        """Stop the sound."""
        self.pause()

    # The files

    @work(group="presets-files", exit_on_error=False)
    async def _file(self, act: Callable[[], Change | None]) -> None:
        """Change a file; tells what became of it."""
        async with self._filing:
            change = await self._done(act)
            if change is not None:
                self.changes.did(change)
                await self._show_change(change, change.words)

    async def _done(self, act: Callable[[], Change | None]) -> Change | None:
        """Change a file on a thread; None, and words, where it is refused or nothing is new."""
        try:
            change = await asyncio.to_thread(act)
        except CovermakerError as error:
            self.app.say(str(error), "failed")
        else:
            if change is not None:
                return change
            self.app.say("nothing changed")
        self.read()
        return None

    async def _show_change(self, change: Change, words: str) -> None:
        problem = await asyncio.to_thread(presets_changes.problem_of, change)
        self.app.say(f"{words}: {problem}" if problem else words, "failed" if problem else "done")
        self.read(change.selects)
        self.call_later(self.redraw_frame)

    def _ask_name(self, kind: Kind, question: str, proposal: str, act: Callable[[str], Change]) -> None:
        def named(name: str | None) -> None:
            if name:
                self._file(lambda: act(name))

        check = partial(presets_changes.name_problem, kind)
        self.app.push_screen(AskName(question, proposal, check), named)

    def action_copy(self) -> None:
        """Copy the preset."""
        entry = self._entry
        if entry is not None:
            kind, name = entry.kind, entry.name
            self._ask_name(
                kind,
                f"A copy of {name}. Its name:",
                free_name(kind, name),
                lambda to: presets_changes.copied(kind, name, to),
            )

    def action_rename(self) -> None:
        """Rename the preset."""
        entry = self._entry
        if entry is not None:
            kind, name = entry.kind, entry.name
            self._ask_name(
                kind, f"Another name for {name}:", name, lambda to: presets_changes.renamed(kind, name, to)
            )

    def action_save(self) -> None:
        """Save what the song has as a preset."""
        entry, project, track = self._entry, self.project, self._track
        if entry is not None and project is not None:
            kind = entry.kind
            what = {"racks": f"the rack of {track}", "masters": "the master", "voices": "the voice settings"}
            self._ask_name(
                kind,
                f"A preset with {what[kind]} of {one_line(project.cover.title)}. Its name:",
                free_name(kind, f"{project.root.name}")
                if any(one.name == project.root.name for one in self.entries if one.kind == kind)
                else project.root.name,
                lambda to: presets_changes.saved(presets_model.new_preset(project, kind, track, to)),
            )

    def action_update(self) -> None:
        """Put what the song has into the preset."""
        entry, project, track = self._entry, self.project, self._track
        if entry is not None and project is not None:
            self._file(
                lambda: presets_changes.updated(
                    presets_model.new_preset(project, entry.kind, track, entry.name, entry.description)
                )
            )

    def action_remove(self) -> None:
        """Move the preset into the trash."""
        entry = self._entry
        if entry is not None:
            self._file(lambda: presets_changes.removed(entry.kind, entry.name))

    def action_edit(self) -> None:
        """Open the file in the user's editor."""
        entry = self._entry
        if entry is None:
            return
        try:
            file, before = presets_changes.text_of(entry.kind, entry.name)
            with self.app.suspend():
                edit_file(file)
        except SuspendNotSupported:
            self.app.say(f"this terminal cannot be left for an editor; the file is {entry.path}", "failed")
            return
        except CovermakerError as error:
            self.app.say(str(error), "failed")
            return
        self._file(lambda: presets_changes.edited(entry.kind, entry.name, before))

    # Undo

    def undo_words(self) -> str:
        """Return what undo takes back: the last change here, else the last edit of the open song."""
        return self.changes.undo_words() or super().undo_words()

    def redo_words(self) -> str:
        """Return what redo does again."""
        return self.changes.redo_words() or super().redo_words()

    def undo(self) -> None:
        """Take the last change back."""
        self._turn(redo=False)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._turn(redo=True)

    @work(group="presets-files", exit_on_error=False)
    async def _turn(self, *, redo: bool) -> None:
        """Turn the change that is the last one when those before it are turned; one that is refused stays the last."""
        async with self._filing:
            await self.edits.finish()
            stack = self.changes.redos if redo else self.changes.undos
            change = stack[-1] if stack else None
            if change is None:
                (super().redo if redo else super().undo)()
                await self.edits.finish()
                return
            back = await self._done(change.turn)
            if back is not None:
                self.changes.turned(change, back, redo=redo)
                await self._show_change(back, f"{'redo' if redo else 'undo'}: {change.words}")

    async def finish(self) -> list[str]:
        """Wait until files and edits are saved."""
        mine = [one for one in self.workers if one.node is self and one.group == "presets-files"]
        if mine:  # of none, Textual would wait for all there are
            with suppress(WorkerFailed):  # the defect was told of
                await self.workers.wait_for_complete(mine)
        return await super().finish()


PresetsScreen.REFUSALS = {
    "presets.hear": PresetsScreen.no_hear,
    "presets.back": PresetsScreen.no_hear,
    "presets.forward": PresetsScreen.no_hear,
    "presets.switch": PresetsScreen.no_switch,
    "presets.copy": PresetsScreen.no_preset,
    "presets.save": PresetsScreen.no_song,
    "presets.edit": PresetsScreen.no_edit,
    "presets.rename": PresetsScreen.no_own,
    "presets.update": PresetsScreen.no_update,
    "presets.remove": PresetsScreen.no_own,
    "presets.track": PresetsScreen.no_track,
}
