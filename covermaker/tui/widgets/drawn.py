"""The base of the drawing widgets: a character set, and colours looked up once a theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from covermaker.tui.widgets.charset import GLYPHS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.segment import Segment
    from rich.style import Style

    from covermaker.tui.widgets.charset import Glyphs
    from covermaker.tui.words import Charset


class Drawn(Widget):
    """A widget that draws its lines itself."""

    ALLOW_SELECT: ClassVar[bool] = False

    charset: reactive[Charset] = reactive("unicode")

    @property
    def glyphs(self) -> Glyphs:
        """The signs to draw with."""
        return GLYPHS[self.charset]

    def on_mount(self) -> None:
        """Take the application's character set, where it has one."""
        self.charset = getattr(self.app, "charset", self.charset)

    def watch_charset(self) -> None:
        """Draw again with other signs."""
        self.redraw()

    def redraw(self) -> None:
        """Throw away what was prepared and repaint everything."""
        self.refresh()

    def look(self, name: str) -> Style:
        """Return a component's style; kept, for Textual looks it up again after every refresh."""
        looks = self.__dict__.setdefault("_looks", {})
        if name not in looks:
            looks[name] = self.get_component_rich_style(name)
        style: Style = looks[name]
        return style

    def line_of(self, segments: Iterable[Segment]) -> Strip:
        """Make a line of the widget's width; the rest of it has the widget's own ground."""
        looks = self.__dict__.setdefault("_looks", {})
        if "" not in looks:
            looks[""] = self.rich_style
        return Strip(segments).adjust_cell_length(self.size.width, looks[""])

    def notify_style_update(self) -> None:
        """Forget the colours of the theme that was."""
        self.__dict__.pop("_looks", None)
        super().notify_style_update()
