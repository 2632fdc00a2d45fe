"""What a new batch is asked to do: its list, who sings, the rack, and where the covers go."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from covermaker.tui.batch_begin import NewBatch
from covermaker.tui.form import Form
from covermaker.tui.paths import dropped

if TYPE_CHECKING:
    from textual.app import ComposeResult

# Of each field: its name, what stands above it, and what stands in it while it is empty.
_FIELDS = (
    ("playlist", "Songs", "a playlist, a folder, or songs/*.flac; drop it here"),
    ("voice", "Voice", ""),
    ("preset", "Rack preset of the vocal", ""),
    ("master", "Master preset", ""),
    ("folder", "Folder of the covers", "empty: beside the list"),
    ("where", "Where it runs: local, ray, or a Ray cluster's address", ""),
)


class NewBatchAsk(Form[NewBatch]):
    """Ask for a new batch.

    Parameters
    ----------
    new : NewBatch
        What stands in the fields.
    problem, field : str
        Why it was refused as it stands there, and because of which field.
    """

    FOOTER: ClassVar = (
        ("{form.next}", "Next field"), ("enter", "Next, or begin"), ("{form.leave}", "Cancel"),
    )  # fmt: skip
    DEFAULT_CSS = "NewBatchAsk { align: center middle; } NewBatchAsk .form Label { margin-top: 0; }"

    def __init__(self, new: NewBatch, problem: str = "", field: str = "") -> None:
        super().__init__()
        self._new, self._why, self._field = new, problem, field

    def begins_at(self) -> Input:
        """Return the field that was refused, else the first."""
        return self.query_one(f"#{self._field}", Input) if self._field else super().begins_at()

    def compose(self) -> ComposeResult:
        """Build the form."""
        with VerticalScroll(classes="dialog form", can_focus=False):
            yield Static("A new batch: every song of a list becomes a cover", markup=False)
            for name, label, empty in _FIELDS:
                yield Label(label)
                yield Input(getattr(self._new, name), id=name, compact=True, placeholder=empty)
            yield Static(self._why, id="problem", markup=False)
            with Horizontal():
                yield Button("Cancel (esc)", id="no", compact=True)
                yield Button("Begin", id="yes", variant="primary", compact=True)

    def answer(self) -> None:
        """Answer with what the form says, or go to what is missing; the rest is refused by whoever begins it."""
        said = {name: self.query_one(f"#{name}", Input).value.strip() for name, _, _ in _FIELDS}
        missing = next((name for name in said if name != "folder" and not said[name]), None)
        if missing is None:
            paths = dropped(said["playlist"], folders=True)
            self.dismiss(NewBatch(**{**said, **({"playlist": str(paths[0])} if len(paths) == 1 else {})}))
            return
        label = next(label for name, label, _ in _FIELDS if name == missing)
        self.query_one("#problem", Static).update(f"{label}: this is missing")
        self.set_focus(self.query_one(f"#{missing}", Input))
