"""The pane of an effect's parameters: a fader each, made of its Spec."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message

from covermaker.tui.faders import Faders
from covermaker.tui.keymap import bindings
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.scales import scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        "preset's. A star marks what the preset has otherwise, a ~ what moves over the song. "
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

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.specs: tuple[Spec, ...] = ()
        self.moving: Mapping[str, int] = {}  # points of each that moves

    @property
    def selected(self) -> Spec | None:
        """The chosen parameter."""
        return self.specs[self._at] if self._at < len(self.specs) else None

    async def show(
        self,
        specs: Sequence[Spec],
        values: Mapping[str, Value],
        beside: Mapping[str, Value | None],
        moving: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Show parameters; `beside` are a preset's values, `moving` the points of those that move over the song."""
        self.moving = moving
        if tuple(specs) != self.specs:
            await self._build(tuple(specs))
        for spec, fader in zip(self.specs, self.query(Fader), strict=True):
            fader.was = beside.get(spec.name)
            fader.moves = spec.name in moving
            if fader.typed is None:
                fader.value = values[spec.name]

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
        if action_id == "rack.preset-value" and self.fader.was is None:
            return "no preset has this effect: {rack.preset} puts one on the rack"
        return None

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
