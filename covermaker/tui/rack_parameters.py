"""The pane of an effect's parameters: a fader each, made of its Spec."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message

from covermaker.effects.stage import BYPASS
from covermaker.tui.faders import Faders
from covermaker.tui.keymap import bindings
from covermaker.tui.rack_moves import at_moment
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.scales import scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from covermaker.effects.automation import Automation
    from covermaker.effects.spec import Spec, Value


class Parameters(Faders, inherit_bindings=False):
    """See the module. It shows what it is told and says what is wanted; the screen saves."""

    SCREEN = "rack"
    PANE = "parameters"
    TITLE = "Parameters"
    HELP_TEXT = (
        "What the effect can be told. {rack.parameter-down} and {rack.parameter-up} choose, {rack.less} and "
        "{rack.more} change, {rack.finer-less} and {rack.finer-more} do it finer, {rack.type} types a value, "
        "{rack.choose} chooses from a list, or a file, {rack.default} is the default, {rack.preset-value} the "
        "preset's. {rack.point} lets a parameter move over the song: it sets a point at the playhead, and from then on "
        "so does every change of it; {rack.moves} lists its points, and fades it over the loop. "
        "A star marks what the preset has otherwise, a ~ what moves. "
        "Wheel and drag work as well, a double click is the default. The loop is heard with every change."
    )
    BINDINGS = bindings("rack", "parameters")

    class Wanted(Message):
        """A value is wanted; None is the default. `settled` is False while a fader is dragged."""

        def __init__(self, spec: Spec, value: Value | None, *, settled: bool) -> None:
            super().__init__()
            self.spec, self.value, self.settled = spec, value, settled

    class Moved(Message):
        """Another parameter is chosen."""

    class Choose(Message):
        """One of a parameter's choices is to be chosen from a list, or a file."""

        def __init__(self, spec: Spec) -> None:
            super().__init__()
            self.spec = spec

    class Asked(Message):
        """Something is to be done with what moves of a parameter, which is at `value`: what the action is called."""

        def __init__(self, what: str, spec: Spec, value: Value) -> None:
            super().__init__()
            self.what, self.spec, self.value = what, spec, value

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.specs: tuple[Spec, ...] = ()
        self.moving: Mapping[str, Automation] = {}
        self.able: Mapping[str, bool] = {}
        self._values: Mapping[str, Value] = {}
        self._seconds = 0.0

    @property
    def selected(self) -> Spec | None:
        """The chosen parameter."""
        return self.specs[self._at] if self._at < len(self.specs) else None

    async def show(
        self,
        specs: Sequence[Spec],
        values: Mapping[str, Value],
        beside: Mapping[str, Value | None],
        moving: Mapping[str, Automation] = MappingProxyType({}),
        able: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        """Show parameters.

        Parameters
        ----------
        beside : mapping
            A preset's values.
        moving : mapping
            How those move that do.
        able : mapping
            Which can move, and whether they glide.
        """
        self.moving, self.able, self._values = moving, able, values
        if tuple(specs) != self.specs:
            await self._build(tuple(specs))
        for spec, fader in zip(self.specs, self.query(Fader), strict=True):
            fader.was = beside.get(spec.name)
            fader.moves = spec.name in moving
        self._write()

    def show_moment(self, seconds: float) -> None:
        """Show what moves as it is at a moment of the song."""
        if seconds != self._seconds:
            self._seconds = seconds
            if self.moving and len(self.faders) == len(self.specs):  # or it is just being built anew
                self._write()

    def _write(self) -> None:
        for spec, fader in zip(self.specs, self.query(Fader), strict=True):
            if fader.typed is None and not fader.is_held and spec.name in self._values:
                course = self.moving.get(spec.name)
                value = self._values[spec.name] if course is None else at_moment(spec, course, self._seconds)
                fader.value = value

    async def _build(self, specs: tuple[Spec, ...]) -> None:
        had_focus = self.has_focus_within
        self.specs, self._at = specs, 0
        labels = [spec.name.rpartition(".")[2] for spec in specs]
        cells = max(map(len, labels), default=0)
        await self.remove_children()
        await self.mount(
            *(
                Fader(scale_of(spec), label, label_cells=cells)
                for spec, label in zip(specs, labels, strict=True)
            )
        )
        if had_focus:
            self.focus()

    # Choosing

    def chose(self) -> None:
        """Tell that a parameter is chosen."""
        self.post_message(self.Moved())

    def refusal(self, action_id: str) -> str | None:
        """Say why nothing can be changed."""
        if not self.specs:
            return "no effect is selected: {rack.add} adds one"
        spec = self.selected
        if action_id == "rack.choose" and spec is not None and not spec.choices and not spec.file:
            return f"{spec.name} is a number: {{rack.type}} types it"
        if action_id in ("rack.point", "rack.moves") and spec is not None and spec.name not in self.able:
            able = ", ".join(name.rpartition(".")[2] for name in self.able if name != BYPASS) or "nothing"
            return f"{spec.name.rpartition('.')[2]} stays as it is: of this effect {able} can move"
        if action_id == "rack.preset-value" and self.fader.was is None:
            return "no preset has this effect: {rack.preset} puts one on the rack"
        return None

    def action_point(self) -> None:
        """Set a point of the parameter's automation at the playhead."""
        self._ask("point")

    def action_moves(self) -> None:
        """List what can be done with the parameter's automation."""
        self._ask("moves")

    def _ask(self, what: str) -> None:
        if self.selected is not None:
            self.post_message(self.Asked(what, self.selected, self.fader.value))

    def action_choose(self) -> None:
        """Choose from a list, or a file."""
        if self.selected is not None:
            self.post_message(self.Choose(self.selected))

    def action_parameter_down(self) -> None:
        """Choose the next parameter."""
        self._go(1)

    def action_parameter_up(self) -> None:
        """Choose the parameter before."""
        self._go(-1)

    def _go(self, by: int) -> None:
        self._at = min(max(self._at + by, 0), len(self.specs) - 1)
        self.focus()

    # Changing

    def action_less(self) -> None:
        """Go a step down."""
        self.fader.action_step(-1)

    def action_more(self) -> None:
        """Go a step up."""
        self.fader.action_step(1)

    def action_finer_less(self) -> None:
        """Go a fine step down."""
        self.fader.action_fine(-1)

    def action_finer_more(self) -> None:
        """Go a fine step up."""
        self.fader.action_fine(1)

    def action_preset_value(self) -> None:
        """Take the preset's value."""
        self.fader.action_was()

    @on(Fader.Changed)
    def _moved(self, message: Fader.Changed) -> None:
        self.moved(message)
        spec = self.specs[self._at]
        value = None if message.value == spec.default else message.value
        self.post_message(self.Wanted(spec, value, settled=message.settled))
