"""What the Rack screen shows: whose rack it is, its effects, the parameters of one, what was measured of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from textual import on
from textual.widgets import Static

from covermaker.effects import owners
from covermaker.effects.able import movable
from covermaker.errors import CovermakerError
from covermaker.tui import rack_model, rack_moves
from covermaker.tui.listing import Listing
from covermaker.tui.rack_chain import EMPTY, READING, Chain, Link
from covermaker.tui.rack_hearing import RackHearing
from covermaker.tui.rack_parameters import Parameters
from covermaker.tui.rack_readings import Readings, reading_of
from covermaker.tui.widgets.spectrum import Spectrum
from covermaker.tui.words import count

if TYPE_CHECKING:
    from covermaker.effects.owners import Owner, Rows
    from covermaker.effects.preset_edits import Line
    from covermaker.effects.presets import Preset
    from covermaker.effects.rack import EffectSettings


_LANES = "automation"


class RackShowing(RackHearing, inherit_bindings=False):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.owner: Owner | None = None
        self._values: dict[str, Any] = {}
        self._presets: list[Preset] = []
        self._chosen_preset: dict[str, str] = {}
        self._rack_problem = ""
        self.effects: tuple[EffectSettings, ...] = ()  # as they are shown
        self._is_behind = False  # the parameters will follow the cursor, which has moved

    @property
    def _owners(self) -> list[Owner]:
        return owners.owners(self.edits.project.cover) if self.edits.project is not None else []

    @property
    def rows(self) -> Rows:
        """The rack, with what is still being saved."""
        return owners.rows_of(self._values, self.owner.place) if self.owner is not None else []

    @property
    def preset(self) -> Preset | None:
        """The preset that the rack began with: the one that was put on it, else the nearest when it was opened."""
        owner = self.owner
        if owner is None:
            return None
        chosen = self._chosen_preset.get(owner.place)
        fitting = owners.fitting(owner, self._presets)
        return next((preset for preset in fitting if preset.name == chosen), None)

    def _choose_named(self, name: str) -> None:
        """Go to the rack of a channel; without one of that name, to the first."""
        self.app.channel = ""
        known, wanted = self._owners, (name, name.lower())
        self._choose(next((one for one in known if one.name in wanted or one.place in wanted), known[0]))

    def _choose(self, owner: Owner) -> None:
        other = self.owner is None or owner.place != self.owner.place
        self.owner = owner
        if owner.place not in self._chosen_preset:
            near = owners.closest(owner, self.rows, self._presets)
            self._chosen_preset[owner.place] = near.name if near is not None else ""
        if other:
            self.query_one(Chain).cursor = 0
        if self.sound is not None:
            if other or self.sound.owner is None:
                self.sound.choose(owner, self._unsaved())
            else:
                self.sound.owner = owner
                self.sound.changed(self._unsaved())
        self._show()

    def _unsaved(self) -> dict[str, object]:
        """Return the rack as a preview takes it, where it is not on the disk like this."""
        project, owner = self.edits.project, self.owner
        if project is None or owner is None:
            return {}
        rows, saved = self.rows, project.document.values
        try:
            changes: dict[str, object] = (
                {} if owners.rows_of(saved, owner.place) == rows else {f"{owner.place}.rack": rows}
            )
        except CovermakerError:
            return {}
        lanes = self._values.get(_LANES, [])
        return changes if saved.get(_LANES, []) == lanes else {**changes, _LANES: lanes}

    @property
    def _here(self) -> float:
        """Where the playhead is, in seconds of the song; of a loop that it is not in, the beginning."""
        if self.sound is None:
            return 0.0
        at, loop = self.sound.seconds, self.sound.loop
        return round(at if loop is None or loop[0] <= at < loop[1] else loop[0], 2)

    def _parse(self) -> None:
        """Find the effects; none where the rack is refused, which is said then."""
        self.effects, self._rack_problem = (), ""
        if self.owner is not None:
            try:
                self.effects = rack_model.parsed(self.rows, self.owner.place)
            except CovermakerError as error:
                self._rack_problem = error.message

    def _show(self) -> None:
        """Show the rack; the list then tells that its cursor may be on something else, and the parameters follow."""
        if self.owner is None and not self.problem:
            return  # it is being read, which is said
        self._parse()
        chain = self.query_one(Chain)
        made = self.sound.made if self.sound is not None else None
        down = {row["index"]: row["maximum_db"] for row in made.reductions} if made is not None else {}
        chain.show_read(
            [
                Link(at + 1, one.title, not one.bypass, rack_model.figure(one), down.get(at))
                for at, one in enumerate(self.effects)
            ]
        )
        chain.empty_text = self.problem or self._rack_problem or self.app.named(EMPTY)
        chain.frame(*self._titles())

    def _beside(self, preset: Preset) -> list[Line]:
        """List what a preset would change; nothing where racks are refused."""
        owner, project = self.owner, self.edits.project
        if owner is not None and project is not None:
            with suppress(CovermakerError):
                return owners.lines_beside(owner, project, self._values, preset)
        return []

    def _titles(self) -> tuple[str, str]:
        owner, preset = self.owner, self.preset
        if owner is None:
            return "Rack", ""
        name = f"{owner.what} {owner.name}" if owner.what in ("group", "bus") else owner.name
        others = self.app.named("{rack.owner-previous} {rack.owner-next} Channel")
        if preset is None:
            return name, others
        edits = len(self._beside(preset))
        return f"{name}: {preset.name}", f"{count(edits, 'edit')}  {others}" if edits else others

    async def _show_parameters(self) -> None:
        self._is_behind = False
        at, effects, pane = self.query_one(Chain).cursor, self.effects, self.query_one(Parameters)
        if not 0 <= at < len(effects):
            await pane.show((), {}, {})
            pane.frame("no effect" if self.owner is not None or self.problem else pane.TITLE)
        else:
            assert self.owner is not None
            one, preset, rows = effects[at], self.preset, self.rows
            project = self.edits.project
            specs = (
                rack_model.specs_shown(one, self.owner, project.cover) if project is not None else one.specs()
            )
            beside = {
                spec.name: owners.preset_value(self.owner, preset, rows, at, spec.name) if preset else None
                for spec in specs
            }
            beside.pop(rack_model.SIDECHAIN, None)
            moving = rack_moves.moving(self._values, self.owner.place, at)
            await pane.show(specs, rack_model.values_of(one), beside, moving, movable(one))
            pane.show_moment(self._here)
            pane.frame(f"{at + 1} {one.title}", "" if not one.bypass else "off")
        self._show_about()
        self.show_measured(chain=False)
        self.refresh_bindings()

    def _show_about(self) -> None:
        """Say what the parameter, or the effect, is."""
        at, effects, pane = self.query_one(Chain).cursor, self.effects, self.query_one(Parameters)
        words = self.problem or self._rack_problem
        if not words and self.owner is None:
            words = self.app.spelt(f"{READING}…")
        elif not words and not effects:
            words = self.app.named("{rack.add} adds an effect, {rack.preset} puts a preset on the rack.")
        elif not words and 0 <= at < len(effects) and self.owner is not None:
            spec, preset = pane.selected, self.preset
            words = rack_model.about_effect(effects[at])
            if spec is not None and pane.has_focus_within:
                value = owners.preset_value(self.owner, preset, self.rows, at, spec.name) if preset else None
                words = rack_model.about(spec, preset.name if preset else "", value)
                course = pane.moving.get(spec.name)
                if course is not None:
                    name, points = spec.name.rpartition(".")[2], count(len(course.points), "point")
                    words = f"{name} moves over the song, {points}: {words}"
        self.query_one("#about", Static).update(words)

    def show_measured(self, *, chain: bool = True) -> None:
        """Show what the preview has measured of the selected effect."""
        at, made = self.query_one(Chain).cursor, self.sound.made if self.sound is not None else None
        reading = replace(reading_of(made, at), is_effect=bool(self.rows))
        self.query_one(Readings).show(reading, self._nothing() or self.app.spelt("being measured…"))
        spectrum = self.query_one(Spectrum)
        if made is None or reading.before is None or reading.behind is None:
            spectrum.show_spectra(None)
        else:
            hz = np.asarray(made.spectrum_hz)
            before, behind = (
                np.asarray(one["spectrum_db"], float) for one in (reading.before, reading.behind)
            )
            spectrum.show_spectra((hz, before), (hz, behind), names=("in", "out"))
        if chain and made is not None:
            self._show()

    def show_now(self) -> None:
        """Show how far the effect turns down at the playhead."""
        sound = self.sound
        if sound is not None:
            history = reading_of(sound.made, self.query_one(Chain).cursor).history_db
            self.query_one(Readings).show_now(sound.reduction_now(history) if history else None)
            self.query_one(Parameters).show_moment(self._here)

    @on(Listing.Moved)
    def _chain_moved(self) -> None:
        if not self._is_behind:
            self._is_behind = True
            self.call_later(self._show_parameters)

    @on(Parameters.Moved)
    def _parameter_moved(self) -> None:
        self._show_about()

    @on(Chain.Edit)
    @on(Listing.Opened)
    def _edit(self) -> None:
        if self.effects:
            self.go_to(self.query_one(Parameters))

    def watch_focused(self) -> None:
        """Say what the focused pane is about."""
        super().watch_focused()
        if self.is_mounted and self.owner is not None:
            self._show_about()
