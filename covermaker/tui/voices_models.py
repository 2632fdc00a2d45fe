"""Voices of other programs on the Voices screen: taken in from their files, and written as files again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual import work

from covermaker.disk import expanded
from covermaker.errors import CovermakerError
from covermaker.tui.ask import AskName
from covermaker.tui.paths import tilde
from covermaker.tui.voices_ask import Choice, ChooseAsk
from covermaker.tui.voices_claims import looked_at
from covermaker.tui.voices_dropped import is_model, is_model_folder
from covermaker.tui.voices_models_ask import ModelAsk, ModelWish
from covermaker.tui.voices_takes import TakingVoices
from covermaker.tui.words import count, one_line
from covermaker.voices.community.names import voice_name
from covermaker.voices.library import user_library

if TYPE_CHECKING:
    from covermaker.tui.job_board import Job
    from covermaker.tui.voices_dropped import Dropped

PROGRAMS: Final = {"rvc": "RVC", "sovits": "so-vits-svc"}


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
            sought=("Models", is_model),
            is_whole=is_model_folder,
        )

    def take_model(self, found: Dropped) -> None:
        """Take in a voice that was dropped; of several, ask which."""
        wishes = [ModelWish(path, voice_name(path, path), index=found.index) for path in found.models]
        if len(wishes) == 1:
            self._ask_about(wishes[0])
            return
        choices = [
            Choice(one_line(wish.path.name), "becomes a voice; drop the others one by one", wish)
            for wish in wishes
        ]

        def chosen(wish: ModelWish | None) -> None:
            if wish is not None:
                self._ask_about(wish)

        self.app.push_screen(ChooseAsk(f"{count(len(wishes), 'model')}: which one?", choices), chosen)

    @work(group="voices-models", exit_on_error=False)
    async def _ask_about(self, wish: ModelWish, problem: str = "") -> None:
        """Ask what it is to be called and whose it is, once a look at the file has not refused it."""
        if not problem:
            wish, refusal = await asyncio.to_thread(looked_at, wish)
            if refusal:
                self.app.say(refusal, "failed")
                return
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
            **({"index": str(wish.index)} if wish.index is not None else {}),
        )
        self._models[job.id] = wish
        self.app.say(f"taking in {one_line(wish.path.name)}", "run")

    def no_export(self) -> str | None:
        """Say why a voice cannot be written now."""
        return self.no_network() or ("it is being written" if self.busy("export-voice") else None)

    def no_network(self) -> str | None:
        """Say why no other program has a voice's network."""
        card = self.whole.row.card if self.whole is not None else None
        if card is None:
            return "there is no voice yet: {voices.train} trains it"
        if card.network.kind != "vits":
            return (
                "its network is Covermaker's own: {voices.train} trains RVC's, {voices.import-model} imports"
            )
        return None

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

        files = PROGRAMS.get(program, program)
        self.app.push_screen(
            AskName(f"Write '{one_line(row.name)}' as files of {files} into the folder:", place, _check),
            write,
        )

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

    def answers(self, job: Job) -> bool:
        """Tell whether the form comes back with what was refused."""
        return super().answers(job) or (job.state == "failed" and job.id in self._models)

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
            files = [Path(file) for file in job.result.get("files", [])]
            where = f" to {tilde(files[0].parent)}" if files else ""
            self.app.say(f"{one_line(job.title)}: {count(len(files), 'file')} written{where}", "done")


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
