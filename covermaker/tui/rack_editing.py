"""What the Rack screen changes: effects, their values and order, presets; all of it saved, all of it undone with z."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual import on, work

from covermaker.effects.preset_edits import differences, rack_differences
from covermaker.effects.preset_files import check_name, entry_of, free_name, write_preset
from covermaker.errors import CovermakerError
from covermaker.project.edits import AddEffect, Conflict, MoveEffect, RemoveEffect
from covermaker.tui import rack_model
from covermaker.tui.ask import Ask
from covermaker.tui.project_edits import EditQueue
from covermaker.tui.rack_chain import EMPTY, Chain
from covermaker.tui.rack_dialogs import AskName, choose, comparison
from covermaker.tui.rack_parameters import Parameters
from covermaker.tui.rack_showing import RackShowing
from covermaker.tui.words import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.effects.presets import Preset
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit
    from covermaker.project.saving import Applied

_GESTURE_SECONDS = 2.0


class RackEditing(RackShowing, inherit_bindings=False):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.edits = EditQueue(self._saved, self._not_saved)
        self._were_off: dict[str, list[bool]] = {}
        self._gesture = ("", 0.0, 0)

    def read_again(self) -> None:
        """Read the project and the presets from the disk."""

    def watch_from(self, project: Project) -> None:
        """Take a saved document as the one that is known."""

    # Saving

    def _change(self, edit: Edit, *, gesture: str | None = None, at: int | None = None) -> None:
        """Do an edit: shown and heard at once, saved behind that; `at` is where the cursor goes."""
        try:
            self._values = rack_model.done(self._values, edit)
        except CovermakerError as error:
            self.app.say(str(error), "failed")
            return
        self.edits.put(edit, gesture=gesture)
        self._show()
        if at is not None:
            self.query_one(Chain).cursor = at
        if self.sound is not None:
            self.sound.changed(self._unsaved())

    def _gesture_of(self, place: str) -> str:
        """Return a name for changes of one place that follow each other closely: they are undone together."""
        now = time.monotonic()
        before, when, number = self._gesture
        if before != place or now - when > _GESTURE_SECONDS:
            number += 1
        self._gesture = (place, now, number)
        return f"{place} {id(self)} {number}"

    def _saved(self, done: Applied) -> None:
        self.watch_from(done.project)
        self.app.tell_saved(done.project, self)
        merged = f"; also changed on disk: {'; '.join(done.merged)}" if done.merged else ""
        self.app.say(done.words + merged)
        if self.edits.is_waiting:
            return  # what is shown is newer than what was saved
        before, self._values = self._values, done.project.document.values
        if before == self._values:
            self.refresh_bindings()
            return
        self._choose_named(self.owner.name if self.owner else "")

    def _not_saved(self, error: CovermakerError, anyway: Callable[[], None]) -> None:
        self.app.say(str(error), "failed")
        if self.edits.project is not None:
            self._values = self.edits.project.document.values
            self._choose_named(self.owner.name if self.owner else "")
        if isinstance(error, Conflict):
            question = f"{error.theirs} (on disk, meanwhile)\n\nDo it all the same: {error.yours}?"
            self.app.push_screen(
                Ask(question, yes="Do it", no="Leave it"), lambda yes: anyway() if yes else self.read_again()
            )

    def undo_words(self) -> str:
        """Return what undo takes back."""
        return self.edits.undo_words if self.edits.project is not None else ""

    def redo_words(self) -> str:
        """Return what redo does again."""
        return self.edits.redo_words if self.edits.project is not None else ""

    def undo(self) -> None:
        """Take the last edit back."""
        self.edits.undo()

    def redo(self) -> None:
        """Do again what was undone."""
        self.edits.redo()

    # Effects

    def no_effect(self) -> str | None:
        """Say why there is no effect to change."""
        if self.owner is None or self._problem or self._rack_problem:
            return self._problem or self._rack_problem or "the project is being read"
        return None if self.rows else EMPTY

    def no_earlier(self) -> str | None:
        """Say why the effect cannot go to an earlier place."""
        return self.no_effect() or ("it is the first already" if self.query_one(Chain).cursor == 0 else None)

    def no_later(self) -> str | None:
        """Say why the effect cannot go to a later place."""
        last = self.query_one(Chain).cursor >= len(self.rows) - 1
        return self.no_effect() or ("it is the last already" if last else None)

    def no_owner(self) -> str | None:
        """Say why there is no rack."""
        return (
            None
            if self.owner is not None and not self._problem
            else self._problem or "the project is being read"
        )

    @on(Parameters.Wanted)
    def _wanted(self, message: Parameters.Wanted) -> None:
        if self.owner is None or not self.rows:
            return
        place = f"{self.owner.place}.rack[{self.query_one(Chain).cursor}].{message.spec.name}"
        edit = rack_model.value_edit(
            self.owner.place, self.query_one(Chain).cursor, message.spec, message.value
        )
        if message.settled:
            self._change(edit, gesture=self._gesture_of(place))
            return
        self._values = rack_model.done(self._values, edit)
        if self.sound is not None:
            self.sound.changed(self._unsaved())

    def action_add(self) -> None:
        """Choose an effect from the list."""
        choose(self.app, "an effect to add", rack_model.palette(), self.add_effect)

    def add_effect(self, name: str) -> None:
        """Add an effect behind the selected one."""
        if self.owner is not None:
            at = self.query_one(Chain).cursor + 1 if self.rows else 0
            self._change(AddEffect(self.owner.place, {"effect": name}, at), at=at)

    def action_remove(self) -> None:
        """Take the effect out."""
        if self.owner is not None:
            self._change(RemoveEffect(self.owner.place, self.query_one(Chain).cursor))

    def action_move_up(self) -> None:
        """Move the effect to the place before."""
        self._move_effect(-1)

    def action_move_down(self) -> None:
        """Move the effect to the next place."""
        self._move_effect(1)

    def _move_effect(self, by: int) -> None:
        at = self.query_one(Chain).cursor
        if self.owner is not None and 0 <= at + by < len(self.rows):
            self._change(MoveEffect(self.owner.place, at, at + by), at=at + by)

    def action_toggle(self) -> None:
        """Turn the effect off or on."""
        if self.owner is not None:
            self._change(rack_model.switch_edit(self.owner, self.rows, self.query_one(Chain).cursor))

    def action_bypass_all(self) -> None:
        """Turn every effect off, or those on again that were."""
        if self.owner is None:
            return
        place, rows = self.owner.place, self.rows
        edit = rack_model.switch_all_edit(self.owner, rows, self._were_off.get(place))
        self._were_off[place] = [bool(row.get("bypass")) for row in rows]
        self._change(edit)

    # Presets

    def _offered(self) -> list[tuple[str, str]]:
        assert self.owner is not None
        found = []
        for preset in rack_model.fitting(self.owner, self._presets):
            edits = rack_model.edits_beside(self.owner, self.rows, preset)
            found.append(
                (preset.name, f"{count(edits, 'change') if edits else 'as it is'}: {preset.description}")
            )
        return found

    def _preset_named(self, name: str) -> Preset:
        assert self.owner is not None
        return next(one for one in rack_model.fitting(self.owner, self._presets) if one.name == name)

    def no_preset(self) -> str | None:
        """Say why there is no preset to take."""
        if self.owner is None or self.no_owner():
            return self.no_owner()
        return None if self._offered() else f"no preset brings a rack for the bus {self.owner.name}"

    def action_preset(self) -> None:
        """Choose a preset to put on the rack."""
        choose(self.app, "a preset to put on the rack", self._offered(), self.put_preset)

    def put_preset(self, name: str) -> None:
        """Put a preset on the rack."""
        owner, project = self.owner, self.edits.project
        if owner is not None and project is not None:
            self._chosen_preset[owner.place] = name
            try:
                edit = rack_model.preset_edit(owner, self._preset_named(name), project)
            except CovermakerError as error:
                self.app.say(str(error), "failed")
                return
            self._change(edit, at=0)

    def action_compare(self) -> None:
        """Choose a preset to compare with."""
        choose(self.app, "a preset to compare with", self._offered(), self.compare_with)

    def compare_with(self, name: str) -> None:
        """Show what a preset would change; its values are those that the parameters are compared with."""
        owner, project = self.owner, self.edits.project
        if owner is None or project is None:
            return
        self._chosen_preset[owner.place] = name
        self._show()
        preset = self._preset_named(name)
        lines = (
            rack_differences(self.rows, rack_model.rack_of_preset(owner, preset))
            if owner.place.startswith("buses.")
            else differences(preset, project, owner.name)
        )
        self.app.push_screen(comparison(f"What '{name}' would change of {owner.name}", lines))

    def action_save(self) -> None:
        """Ask for a name, and save the rack under it."""
        preset, owner = self.preset, self.owner
        if owner is not None:
            question = f"Save the rack of {owner.name} as a preset of your own. Its name:"
            name = preset.name if preset is not None else owner.name
            entry = entry_of(owner.kind, name)
            if entry is not None and entry.shipped:
                name = free_name(owner.kind, name)
            self.app.push_screen(AskName(question, name), self._save_as)

    def _save_as(self, name: str | None) -> None:
        if not name or self.owner is None:
            return
        try:
            check_name(name)
        except CovermakerError as error:
            self.app.say(str(error), "failed")
            return
        known = entry_of(self.owner.kind, name)
        if known is None or known.shipped:
            self._write(name, replace=False)
            return
        question = f"You have a preset called '{name}' already. Write over it?"
        self.app.push_screen(
            Ask(question, yes="Write over it", no="Leave it"),
            lambda yes: self._write(name, replace=True) if yes else None,
        )

    @work(thread=True, exclusive=True, group="rack-save", exit_on_error=False)
    def _write(self, name: str, *, replace: bool) -> None:
        owner, project = self.owner, self.edits.project
        if owner is None or project is None:
            return
        before = entry_of(owner.kind, name)
        description = (
            before.description if before is not None else f"Of {owner.name} in {project.cover.title}."
        )
        try:
            preset = write_preset(rack_model.saved_preset(owner, project, name, description), replace=replace)
        except CovermakerError as error:
            self.app.call_from_thread(self.app.say, str(error), "failed")
            return
        self.app.call_from_thread(self._was_written, preset)

    def _was_written(self, preset: Preset) -> None:
        others = [one for one in self._presets if (one.kind, one.name) != (preset.kind, preset.name)]
        self._presets = [*others, preset]
        if self.owner is not None:
            self._chosen_preset[self.owner.place] = preset.name
        self.app.say(f"saved as the preset '{preset.name}': {preset.path}", "done")
        self._show()
