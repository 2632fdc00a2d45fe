"""A list with columns that draws only the rows in sight, and text that scrolls.

Textual's DataTable measures every cell when it is filled and takes a quarter of a second for two thousand rows; here
a row costs nothing until it is seen. Cells are cut to whole characters: wide ones take two columns, combining ones
none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.text import Text
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from covermaker.tui.theme import TONES
from covermaker.tui.words import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from rich.style import Style
    from textual import events

    from covermaker.tui.app import Studio

T = TypeVar("T")

# A cell: its text, and the state whose colour it has ("" for none).
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list.

    Attributes
    ----------
    width : int
        In cells; of the flexible column, the least.
    from_width : int
        The list must be this wide, in cells, for the column to be shown.
    right : bool
        Aligned to the right.
    flexible : bool
        Takes what room is left; one column is.
    """

    name: str
    title: str
    width: int
    from_width: int = 0
    right: bool = False
    flexible: bool = False


class Listing(ScrollView, Generic[T], can_focus=True):
    """Rows with a cursor, a header and marks."""

    app: Studio

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "listing--header",
        "listing--cursor",
        "listing--blurred",
        "listing--marked",
        *(f"listing--{tone}" for tone in TONES),
    }
    COLUMNS: ClassVar[tuple[Column, ...]] = ()

    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor is on another row."""

        def can_replace(self, message: Message) -> bool:
            """Tell that only the last of many matters."""
            return isinstance(message, Listing.Moved)

    class Opened(Message):
        """A row was chosen, with enter or two clicks."""

    class HeaderClicked(Message):
        """The title of a column was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(self, draw: Callable[[T], Sequence[Cell]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw = draw
        self.items: list[T] = []
        self.marked: set[T] = set()
        self.hidden: AbstractSet[str] = frozenset()  # columns in which nothing would stand
        self.empty_text = ""

    @property
    def selected(self) -> T | None:
        """The item under the cursor."""
        return self.items[self.cursor] if 0 <= self.cursor < len(self.items) else None

    def show(self, items: Sequence[T], *, keep: Callable[[T], bool] | None = None) -> None:
        """Show other items; the cursor goes to the first that `keep` accepts, or stays at its row."""
        self.items = list(items)
        at = next((i for i, item in enumerate(items) if keep(item)), None) if keep else None
        at = min(self.cursor, max(0, len(items) - 1)) if at is None else at
        self.virtual_size = Size(0, len(items) + 1)
        if at == self.cursor:
            self.post_message(self.Moved())
        self.cursor = at
        self.refresh()
        self.call_after_refresh(self._into_view)

    def redraw(self, index: int | None = None) -> None:
        """Draw one row again, or all."""
        if index is None:
            self.refresh()
            return
        y = index + 1 - round(self.scroll_y)
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def widths(self) -> list[tuple[Column, int]]:
        """Return the columns that are shown and their widths in cells."""
        room = self.size.width - 2  # the pointer and a space
        columns = [
            column
            for column in self.COLUMNS
            if self.size.width >= column.from_width and column.name not in self.hidden
        ]
        fixed = sum(column.width + 1 for column in columns if not column.flexible)
        return [
            (column, max(column.width, room - fixed - 1) if column.flexible else column.width)
            for column in columns
        ]

    def render_line(self, y: int) -> Strip:
        """Draw one line of the window."""
        width = self.size.width
        base = self.rich_style
        if y == 0:
            style = base + self.get_component_rich_style("listing--header", partial=True)
            titles = [(column.title, "") for column in self.COLUMNS]
            return self._strip("  ", titles, style, plain=True)
        index = y - 1 + round(self.scroll_y)
        if not self.items and y == 2 and self.empty_text:
            text = set_cell_size(cut("  " + self.empty_text, width, self.app.charset), width)
            return Strip([Segment(text, base)], width)
        if not 0 <= index < len(self.items):
            return Strip.blank(width, base)
        item = self.items[index]
        on_cursor = index == self.cursor
        style = base
        if item in self.marked:
            style += self.get_component_rich_style("listing--marked", partial=True)
        if on_cursor:
            name = "listing--cursor" if self.has_focus else "listing--blurred"
            style += self.get_component_rich_style(name, partial=True)
        lead = (">" if on_cursor else " ") + ("*" if item in self.marked else " ")
        return self._strip(lead, self._draw(item), style)

    def _strip(self, lead: str, cells: Sequence[Cell], style: Style, *, plain: bool = False) -> Strip:
        """Put cells in their columns."""
        segments = [Segment(lead, style)]
        by_name = {column.name: cell for column, cell in zip(self.COLUMNS, cells, strict=True)}
        for column, width in self.widths():
            text, tone = by_name[column.name]
            used = cell_len(text)
            if column.right and used < width:
                text = " " * (width - used) + text
            colour = style
            if tone and not plain:
                colour += self.get_component_rich_style(f"listing--{tone}", partial=True)
            segments.append(Segment(set_cell_size(cut(text, width, self.app.charset), width), colour))
            segments.append(Segment(" ", style))
        return Strip(segments).adjust_cell_length(self.size.width, style)

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw both rows and tell."""
        self.redraw(old)
        self.redraw(new)
        self._into_view()
        self.post_message(self.Moved())

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, len(self.items) - 1))

    def _into_view(self) -> None:
        """Scroll so that the row of the cursor is seen; the header takes the first line."""
        rows = max(1, self.size.height - 1)
        top = round(self.scroll_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + rows:
            self.scroll_to(y=self.cursor - rows + 1, animate=False)

    def on_focus(self) -> None:
        """Draw the cursor's row with and without the focus."""
        self.redraw(self.cursor)

    def on_blur(self) -> None:
        """Draw the cursor's row with and without the focus."""
        self.redraw(self.cursor)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._into_view()

    def on_click(self, event: events.Click) -> None:
        """Go to the row that is clicked; two clicks open it, the header sorts."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            at = 2
            for column, width in self.widths():
                if at <= offset.x < at + width:
                    self.post_message(self.HeaderClicked(column.name))
                at += width + 1
            return
        index = offset.y - 1 + round(self.scroll_y)
        if index < len(self.items):
            self.cursor = index
            if event.chain == 2:
                self.post_message(self.Opened())

    def action_go_up(self) -> None:
        """Go up."""
        self.cursor -= 1

    def action_go_down(self) -> None:
        """Go down."""
        self.cursor += 1

    def action_go_page_up(self) -> None:
        """Go up by what is seen."""
        self.cursor -= max(1, self.size.height - 2)

    def action_go_page_down(self) -> None:
        """Go down by what is seen."""
        self.cursor += max(1, self.size.height - 2)

    def action_go_first(self) -> None:
        """Go to the first row."""
        self.cursor = 0

    def action_go_last(self) -> None:
        """Go to the last row."""
        self.cursor = len(self.items) - 1


class Scrolling:
    """Mixed into what scrolls: the actions that `keytable.moves` names."""

    def action_go_up(self: ScrollView) -> None:  # type: ignore[misc]
        """Scroll up."""
        self.scroll_up(animate=False)

    def action_go_down(self: ScrollView) -> None:  # type: ignore[misc]
        """Scroll down."""
        self.scroll_down(animate=False)

    def action_go_page_up(self: ScrollView) -> None:  # type: ignore[misc]
        """Scroll up by a page."""
        self.scroll_page_up(animate=False)

    def action_go_page_down(self: ScrollView) -> None:  # type: ignore[misc]
        """Scroll down by a page."""
        self.scroll_page_down(animate=False)

    def action_go_first(self: ScrollView) -> None:  # type: ignore[misc]
        """Scroll to the top."""
        self.scroll_home(animate=False)

    def action_go_last(self: ScrollView) -> None:  # type: ignore[misc]
        """Scroll to the end."""
        self.scroll_end(animate=False)


class Reader(Scrolling, ScrollView, can_focus=True):
    """Text that scrolls. Another text of no more lines than fit costs no layout of the screen."""

    class Reshaped(Message):
        """A line has room for more cells than before, or fewer: its scrollbar came or went, too."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = Text()
        self._about = ""
        self._told_width = 0
        self._lines: list[Strip] = []

    def write(self, text: Text | str, about: str = "") -> None:
        """Show another text, from its top; one about the same thing stays where it was scrolled to."""
        text = Text(text) if isinstance(text, str) else text
        if (text, about) == (self._text, self._about):
            return
        stays = bool(about) and about == self._about
        self._text, self._about = text, about
        self._wrap()
        if stays:
            self.call_after_refresh(self.scroll_to, y=self.scroll_y, animate=False)
        else:
            self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Wrap the text anew."""
        self._wrap()
        self._tell_width()

    def watch_show_vertical_scrollbar(self) -> None:
        """Tell that the scrollbar takes a cell, or gives it back."""
        self.call_after_refresh(self._tell_width)

    def _tell_width(self) -> None:
        """Let whoever lays the text out know of another width."""
        if self.text_width != self._told_width:
            self._told_width = self.text_width
            self.post_message(self.Reshaped())

    @property
    def text_width(self) -> int:
        """How many cells a line has, beside the scrollbar where there is one; 0 before it is shown."""
        return self.scrollable_content_region.width

    def _wrap(self) -> None:
        room = self.region.shrink(self.styles.gutter)
        if not room.width:
            return
        console = self.app.console
        lines = self._text.wrap(console, room.width, tab_size=4)
        if len(lines) > room.height:  # whether its scrollbar is there already or comes with these lines
            lines = self._text.wrap(console, room.width - self.styles.scrollbar_size_vertical, tab_size=4)
        self._lines = [Strip(line.render(console)) for line in lines]
        self.virtual_size = Size(0, max(len(lines), self.size.height))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the window."""
        index, width, base = y + round(self.scroll_y), self.size.width, self.rich_style
        if not 0 <= index < len(self._lines):
            return Strip.blank(width, base)
        return self._lines[index].apply_style(base).adjust_cell_length(width, base)
