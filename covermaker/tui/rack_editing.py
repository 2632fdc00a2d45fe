"""What the Rack screen changes: effects, their values and order, presets; all of it saved, all of it undone with z."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on, work

from covermaker.effects import owners
from covermaker.effects.preset_files import entry_of, free_name, write_preset
from covermaker.errors import CovermakerError
from covermaker.project.edits import AddEffect, MoveEffect, RemoveEffect
from covermaker.tui import rack_model, rack_moves
from covermaker.tui.ask import Ask, AskName
from covermaker.tui.choose import choose
from covermaker.tui.picker import pick
from covermaker.tui.presets_changes import name_problem
from covermaker.tui.rack_chain import EMPTY, READING, Chain
from covermaker.tui.rack_comparison import comparison
from covermaker.tui.rack_parameters import Parameters
from covermaker.tui.rack_showing import RackShowing
from covermaker.tui.widgets.scales import scale_of
from covermaker.tui.words import count

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.effects.presets import Preset
    from covermaker.effects.spec import Spec, Value
    from covermaker.project.load import Project
    from covermaker.project.operations import Edit
    from covermaker.project.saving import Applied

_A_FILE = "a file of your own"


class RackEditing(RackShowing, inherit_bindings=False):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._were_on: dict[str, list[bool]] = {}

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

    async def take(self, project: Project, beside: Any = None) -> None:
        """Show a document, and the presets that were read with it."""
        if beside is not None:
            self._presets = beside
        self._forget_others(project.document.values)
        self._values = project.document.values
        self._choose_named(self.app.channel or (self.owner.name if self.owner else ""))

    def show_saved(self, done: Applied) -> None:
        """Show what was saved where it is not what is shown."""
        before, self._values = self._values, done.project.document.values
        if before == self._values:
            self.refresh_bindings()
            return
        self._forget_others(before)
        self._choose_named(self.owner.name if self.owner else "")

    def _forget_others(self, values: dict[str, Any]) -> None:
        """Forget what racks began with that somebody else has changed: they may have another preset now."""
        for place in list(self._chosen_preset):
            with suppress(CovermakerError):
                if owners.rows_of(values, place) == owners.rows_of(self._values, place):
                    continue
            del self._chosen_preset[place]

    def was_refused(self) -> None:
        """Show the rack as it is on the disk."""
        if self.edits.project is not None:
            self._values = self.edits.project.document.values
            self._choose_named(self.owner.name if self.owner else "")

    # Effects

    def no_effect(self) -> str | None:
        """Say why there is no effect to change."""
        if self.owner is None or self.problem or self._rack_problem:
            return self.problem or self._rack_problem or READING
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
        return self.problem or (READING if self.owner is None else None)

    @on(Parameters.Wanted)
    def _wanted(self, message: Parameters.Wanted) -> None:
        if self.owner is None or not self.rows:
            return
        at, spec = self.query_one(Chain).cursor, message.spec
        place = f"{self.owner.place}.rack[{at}].{spec.name}"
        if spec.name in self.query_one(Parameters).moving:
            edit = rack_moves.now_edit(place, spec, message.value, self._here)
        else:
            edit = rack_model.value_edit(self.owner.place, at, spec, message.value)
        if message.settled:
            self._change(edit, gesture=self.gesture_of(place))
            return
        self._values = rack_model.done(self._values, edit)
        if self.sound is not None:
            self.sound.changed(self._unsaved())

    @on(Parameters.Asked)
    def _asked(self, message: Parameters.Asked) -> None:
        """Let a parameter move, or change how it does."""
        owner, spec = self.owner, message.spec
        if owner is None or not self.rows or self.sound is None:
            return
        target = rack_moves.target_of(self._values, owner.place, self.query_one(Chain).cursor, spec)
        glides = self.query_one(Parameters).able.get(spec.name, False)
        if message.what == "point":
            self._change(rack_moves.point_edit(target, message.value, self._here, glides=glides))
            return
        can = rack_moves.choices(
            self._values, target, spec, message.value, here=self._here, loop=self.sound.loop, glides=glides
        )

        def chosen(name: str) -> None:
            self._change(can[name][1])

        offered = [(name, words) for name, (words, _) in can.items()]
        choose(self.app, f"{owner.name} {spec.name.rpartition('.')[2]}", offered, chosen)

    @on(Parameters.Choose)
    def _choose_value(self, message: Parameters.Choose) -> None:
        """Choose one of a parameter's values from a list, or a file."""
        spec = message.spec
        scale = scale_of(spec)
        by_name: dict[str, Value] = {scale.text(value): value for value in spec.choices}
        rows = [(name, "the default" if value == spec.default else "") for name, value in by_name.items()]
        if spec.file:
            rows.append((_A_FILE, "choose it on your disk"))

        def chosen(name: str) -> None:
            if name == _A_FILE:
                assert self.folder is not None
                pick(
                    self.app,
                    self.folder,
                    f"{spec.name}: a file",
                    lambda files: self._take_file(spec, files[-1]),
                )
            else:
                self._take_value(spec, by_name[name])

        choose(self.app, spec.name, rows, chosen)

    def _take_file(self, spec: Spec, file: Path) -> None:
        """Name a file as the document does: within the project from there."""
        assert self.folder is not None
        inside = file.is_relative_to(self.folder)
        self._take_value(spec, file.relative_to(self.folder).as_posix() if inside else str(file))

    def _take_value(self, spec: Spec, value: Value) -> None:
        wanted = None if value == spec.default else value
        self.query_one(Parameters).post_message(Parameters.Wanted(spec, wanted, settled=True))

    def action_add(self) -> None:
        """Choose an effect from the list."""
        choose(self.app, "an effect to add", rack_model.palette(), self.add_effect)

    def add_effect(self, name: str) -> None:
        """Add an effect behind the selected one."""
        if self.owner is not None:
            at = self.query_one(Chain).cursor + 1 if self.rows else 0
            self._change(AddEffect(self.owner.place, rack_model.row_of(name), at), at=at)

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

    def action_switch_effect(self) -> None:
        """Turn the effect off or on."""
        if self.owner is not None:
            rows, at = self.rows, self.query_one(Chain).cursor
            self._change(owners.switch_edit(self.owner, rows, at, on=bool(rows[at].get("bypass"))))

    def action_bypass_all(self) -> None:
        """Turn every effect off, or those on again that were."""
        if self.owner is None:
            return
        place, rows = self.owner.place, self.rows
        on = [not row.get("bypass") for row in rows]
        wanted = [False] * len(rows)
        if not any(on):
            before = self._were_on.get(place, [])
            wanted = before if len(before) == len(rows) and any(before) else [True] * len(rows)
        self._were_on[place] = on
        self._change(owners.switch_all_edit(self.owner, rows, wanted))

    # Presets

    def _offered(self) -> list[tuple[str, str]]:
        assert self.owner is not None
        found = []
        for preset in owners.fitting(self.owner, self._presets):
            edits = len(self._beside(preset))
            found.append(
                (preset.name, f"{count(edits, 'change') if edits else 'as it is'}: {preset.description}")
            )
        return found

    def _preset_named(self, name: str) -> Preset:
        assert self.owner is not None
        return next(one for one in owners.fitting(self.owner, self._presets) if one.name == name)

    def no_preset(self) -> str | None:
        """Say why there is no preset to take."""
        if self.owner is None or self.no_owner():
            return self.no_owner()
        fitting = owners.fitting(self.owner, self._presets)
        return None if fitting else f"no preset brings a rack for the bus {self.owner.name}"

    def action_preset(self) -> None:
        """Choose a preset to put on the rack."""
        choose(self.app, "a preset to put on the rack", self._offered(), self.put_preset)

    def put_preset(self, name: str) -> None:
        """Put a preset on the rack."""
        owner, project = self.owner, self.edits.project
        if owner is not None and project is not None:
            self._chosen_preset[owner.place] = name
            try:
                edit = owners.preset_edit(owner, self._preset_named(name), project)
            except CovermakerError as error:
                self.app.say(str(error), "failed")
                return
            self._change(edit, at=0)

    def action_compare(self) -> None:
        """Choose a preset to compare with."""
        choose(self.app, "a preset to compare with", self._offered(), self.compare_with)

    def compare_with(self, name: str) -> None:
        """Show what a preset would change; the rack is still one that began with its own."""
        if self.owner is not None:
            lines = self._beside(self._preset_named(name))
            self.app.push_screen(comparison(self.owner.name, name, lines))

    def action_save(self) -> None:
        """Ask for a name, and save the rack under it."""
        preset, owner = self.preset, self.owner
        if owner is not None:
            question = f"Save the rack of {owner.name} as a preset of your own. Its name:"
            name = preset.name if preset is not None else owner.name
            entry = entry_of(owner.kind, name)
            if entry is not None and entry.shipped:
                name = free_name(owner.kind, name)
            check = partial(name_problem, owner.kind, may_replace=True)
            self.app.push_screen(AskName(question, name, check), self._save_as)

    def _save_as(self, name: str | None) -> None:
        if not name or self.owner is None:
            return
        known = entry_of(self.owner.kind, name)
        if known is None or known.shipped:
            self._write(name, replace=False)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._write(name, replace=True)

        question = f"You have a preset called '{name}' already. Write over it?"
        self.app.push_screen(Ask(question, yes="Write over it", no="Leave it"), answered)

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
            preset = write_preset(owners.saved_preset(owner, project, name, description), replace=replace)
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
