"""Voices of other programs on the Voices screen: taken in from their files, and written as files again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from covermaker.disk import expanded
from covermaker.errors import CovermakerError
from covermaker.tui.ask import AskName
from covermaker.tui.paths import tilde
from covermaker.tui.voices_models_ask import ModelAsk, ModelWish
from covermaker.tui.voices_takes import TakingVoices
from covermaker.tui.words import count, one_line
from covermaker.voices.community.names import voice_name
from covermaker.voices.library import user_library

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.tui.job_board import Job

# Shown first; what a file is, its content decides.
_SUFFIXES: Final = (".pth", ".pt", ".zip")


class ModelVoices(TakingVoices, inherit_bindings=False):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._models: dict[int, ModelWish] = {}  # by the job that takes it in

    def action_import_model(self) -> None:
        """Choose a voice of another program."""
        self._pick(
            "A voice of RVC or so-vits-svc",
            lambda paths: self._ask_about(ModelWish(paths[-1], voice_name(paths[-1], paths[-1]))),
            sought=("Models", _is_model),
        )

    def take_model(self, paths: Sequence[Path]) -> bool:
        """Take in what was dropped, if it is a model."""
        if len(paths) != 1 or not paths[0].is_file() or not _is_model(paths[0]):
            return False
        self._ask_about(ModelWish(paths[0], voice_name(paths[0], paths[0])))
        return True

    def _ask_about(self, wish: ModelWish, problem: str = "") -> None:
        taken = [row.name for row in self.rows.values() if row.place in ("library", "shipped")]
        self.app.push_screen(
            ModelAsk(wish, taken, problem), lambda said: self._take_in(said) if said is not None else None
        )

    def _take_in(self, wish: ModelWish) -> None:
        try:
            folder = user_library() / wish.name
        except CovermakerError as error:
            self.app.say(str(error), "failed")
            return
        job = self.submit(
            "import-voice",
            folder,
            path=str(wish.path),
            name=wish.name,
            rights=wish.rights,
            statement=wish.statement,
        )
        self._models[job.id] = wish
        self.app.say(f"taking in {one_line(wish.path.name)}", "run")

    def no_export(self) -> str | None:
        """Say why a voice cannot be written."""
        card = self.whole.row.card if self.whole is not None else None
        if card is None or card.network.kind != "vits":
            return "only an imported voice can be written as files: {voices.import-model} imports one"
        return "it is being written" if self.busy("export-voice") else None

    def action_export(self) -> None:
        """Ask for a folder, and write the voice into it."""
        whole = self.whole
        if whole is None or whole.row.card is None:
            return
        row, program = whole.row, str(whole.row.card.network.config.get("family", ""))
        place = tilde(self._picker_place / f"{row.name}-{program}")

        def write(text: str | None) -> None:
            if text is not None:
                self.submit("export-voice", row.folder, program=program, out=str(_folder(text)))
                self.app.say(f"writing {one_line(row.name)} to {one_line(text)}", "run")

        self.app.push_screen(AskName(f"Write '{one_line(row.name)}' into the folder:", place, _check), write)

    def take_over(self) -> None:
        """Do what follows from jobs that have ended; of a voice that was refused, bring the form back."""
        super().take_over()
        for number, wish in list(self._models.items()):
            job = self.app.board.jobs.get(number)
            if job is not None and (not job.is_over or (job.state == "failed" and not self.is_active)):
                continue
            del self._models[number]
            if job is not None and job.state == "failed":
                self._ask_about(wish, ": ".join(filter(None, (job.message, job.hint))))

    def _ended(self, job: Job) -> None:
        super()._ended(job)
        if job.state != "done":
            return
        if job.kind == "import-voice":
            self._wants = Path(job.subject)
            self.look()
            notes = job.result.get("notes", [])
            self.app.say(". ".join([f"{one_line(job.title)}: taken in", *notes[-1:]]), "done")
        elif job.kind == "export-voice":
            files = job.result.get("files", [])
            self.app.say(f"{one_line(job.title)}: {count(len(files), 'file')} written", "done")


def _is_model(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES


def _folder(text: str) -> Path:
    return expanded(text, "the folder").absolute()


def _check(text: str) -> str:
    """Say what is wrong with a folder to write into; "" for nothing."""
    try:
        folder = _folder(text)
        is_taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except (CovermakerError, OSError, ValueError) as error:
        return str(error)
    return f"{folder} is there already, and not empty" if is_taken else ""
