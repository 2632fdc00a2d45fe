"""What is done with a training on the Voices screen: begun, saved and ended, ended at once; a save promoted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textual import on, work
from textual.message import Message

from covermaker.errors import CovermakerError
from covermaker.training.profile_choice import CUSTOM_FILE
from covermaker.training.stopping import ask_to_stop, kill_training
from covermaker.tui.ask import Ask
from covermaker.tui.job_kinds import SHORT
from covermaker.tui.lost import KEPT
from covermaker.tui.voices_ask import Choice, ChooseAsk
from covermaker.tui.voices_jobs import Change
from covermaker.tui.voices_panes import Card, TakeList
from covermaker.tui.voices_removing import RemovingVoices
from covermaker.tui.voices_text import grouped, lost_by_killing, promotion_words
from covermaker.tui.voices_training import Training
from covermaker.tui.words import count, one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from covermaker.tui.job_board import Job
    from covermaker.tui.voices_model import Whole

_QUICK: Final = "about 11 minutes, whatever the machine; all its cores work"
_STUDIO: Final = "40 000 steps of a larger network: an hour or so on a GPU, days without one"
# Profiles whose voices can be given out to the users of other programs.
_COMMUNITY: Final = {
    "rvc": ("As RVC", "for users of RVC, too: hours on a GPU, weeks without"),
    "sovits": ("As so-vits-svc", "for users of so-vits-svc, too: as long"),
}


class WorkingVoices(RemovingVoices, inherit_bindings=False):
    """See the module."""

    @dataclass
    class Asked(Message):
        """A training was asked to end, or nobody could."""

        words: str
        problem: str = ""

    def __init__(self) -> None:
        super().__init__()
        self._promoting: dict[
            int, tuple[int | None, bool]
        ] = {}  # what was the voice before; whether it is new

    def no_train(self) -> str | None:
        """Say why it cannot be trained."""
        whole = self.whole
        if whole is None:
            return "there is no voice yet: {voices.new} makes one from recordings"
        if not whole.row.is_ours:
            return "a shipped voice has no takes: {voices.new} makes one of yours"
        if whole.watched.status == "running" or self.busy("train"):
            return "it is in training: {voices.stop} stops it, {voices.kill} ends it at once"
        if whole.document is None:
            return whole.takes_problem or "it has no takes: {voices.new} makes a voice from recordings"
        if self.busy("audition", "promote", "take-in") or whole.watched.busy:
            return "something else is at work in its folder: {voices.cancel} cancels"
        return None

    def action_train(self) -> None:
        """Ask how to train, and begin."""
        whole = self.whole
        if whole is None:
            return
        name, status = one_line(whole.row.name), whole.watched.status
        # Of one that was ended before it was written down there is nothing to resume: it begins, with what is kept.
        stopped, trained = status == "stopped" and not whole.watched.prepared, whole.row.card is not None
        again = {"force": True} if stopped or trained or status == "astray" else {}
        ways = [
            Choice("Quick", _QUICK, {"profile": "quick", **again}),
            Choice("Studio", _STUDIO, {"profile": "studio", **again}),
            *(
                Choice(label, f"{words}{_missing(profile)}", {"profile": profile, **again})
                for profile, (label, words) in _COMMUNITY.items()
            ),
        ]
        if (whole.row.folder / CUSTOM_FILE).is_file():
            ways.append(
                Choice("Custom", f"as {CUSTOM_FILE} in its folder says", {"profile": "custom", **again})
            )
        if stopped:
            save = whole.watched.last_save
            at = (
                f"exactly where it was saved, at step {grouped(save.step)}"
                if save
                else "with what was prepared"
            )
            ways.insert(0, Choice("Resume", f"go on {at}", {"resume": True}))
            question = f"The training of '{name}' was stopped. Beginning again gives up its checkpoints."
        elif trained:
            question = (
                f"'{name}' is trained already. Training again gives up its checkpoints at once, and the voice as it "
                "is when the first new one is saved."
            )
        else:
            kept = f" {KEPT['preparing'].capitalize()}." if whole.watched.prepared else ""
            question = f"Train '{name}' from {count(sum(take.use for take in whole.takes), 'take')}?{kept}"
        folder = whole.row.folder
        self.app.push_screen(
            ChooseAsk(question, ways), lambda wish: self._train(folder, wish) if wish is not None else None
        )

    def _train(self, folder: Path, wish: dict[str, Any]) -> None:
        job = self.submit("train", folder, device=self.app.settings.device, **wish)
        if self.pane() in (
            self.query_one(TakeList),
            self.query_one(Card),
        ):  # over the training, in a small window
            self.go_to(self.query_one(Training))
        waits = job.state == "wait"
        self.app.say(
            f"{one_line(folder.name)}: " + ("waits for its turn" if waits else "the training begins"), "run"
        )

    def no_stop(self) -> str | None:
        """Say why there is nothing to end."""
        running = self.whole is not None and self.whole.watched.status == "running"
        return None if running or self.busy("train") else "no training of this voice runs"

    def action_stop(self) -> None:
        """Let the training save and end."""
        whole, job = self.whole, self.busy("train")
        if whole is None:
            return
        if job is not None and not _saves(whole):
            self.app.runner.cancel(job)  # there is nothing to save yet
            self.app.say(f"{one_line(whole.row.name)}: stopped, {KEPT['preparing']}")
            return
        how = "it saves, and ends" if _saves(whole) else f"it ends, {KEPT['preparing']}"
        self._ask(whole.row.folder, ask_to_stop, f"{one_line(whole.row.name)}: {how}")

    def action_kill(self) -> None:
        """End the training at once; ask first."""
        whole, job = self.whole, self.busy("train")
        if whole is None:
            return
        if job is not None and job.state == "wait":
            self.app.runner.cancel(job)
            return
        folder, name = whole.row.folder, one_line(whole.row.name)

        def kill(yes: bool | None) -> None:
            if not yes:
                return
            if job is not None:
                self.app.runner.cancel(job)
            else:
                self._ask(folder, kill_training, f"{name}: the training ends")

        if not self.app.settings.confirm:
            kill(True)
            return
        lost = lost_by_killing(whole.watched, time.time())
        keys = self.app.named("\n\n{voices.stop} would save it first.") if _saves(whole) else ""
        self.app.push_screen(
            Ask(f"End the training of '{name}' at once? {lost}{keys}", yes="Kill", no="Let it go on"),
            kill,
        )

    @work(thread=True, group="voices-stop", exit_on_error=False)
    def _ask(self, folder: Path, wish: Callable[[Path], None], words: str) -> None:
        try:
            wish(folder)
            self.post_message(self.Asked(words))
        except CovermakerError as error:
            self.post_message(self.Asked("", str(error)))

    @on(Asked)
    def _asked(self, message: Asked) -> None:
        self.app.say(message.problem or message.words, "failed" if message.problem else "run")
        self.look()

    def no_cancel(self) -> str | None:
        """Say why there is nothing to cancel."""
        return None if self.busy(*SHORT) else "no scan, import, export or audition of this voice runs"

    def action_cancel(self) -> None:
        """Cancel what is short."""
        job = self.busy(*SHORT)
        if job is not None:
            self.app.runner.cancel(job)

    # Checkpoints

    def let_sing(self, steps: list[int]) -> Job | None:
        """Queue an audition."""
        if self.whole is None or self.busy("audition"):
            return None
        return self.submit("audition", self.whole.row.folder, steps=steps, device=self.app.settings.device)

    def no_promote(self) -> str | None:
        """Say why the selected checkpoint cannot become the voice."""
        save, whole = self.save, self.whole
        if whole is None or save is None:
            return "no checkpoint is selected: {voices.train} trains"
        if not save.kept:
            return f"the checkpoint of step {grouped(save.step)} is not kept"
        if save.is_voice:
            return "it is the voice already"
        if whole.row.card is None:
            return "there is no voice yet: its first scored save makes one"
        if whole.watched.status == "running" or self.busy("train"):
            return "it is in training: {voices.stop} stops it first"
        return "another one is being promoted" if self.busy("promote") else None

    def action_promote(self) -> None:
        """Make the selected checkpoint the voice; ask when the present one could not come back."""
        save, whole = self.save, self.whole
        if whole is None or save is None:
            return
        before = self.saves.get(whole.row.step) if whole.row.step is not None else None
        if (before is not None and before.kept) or not self.app.settings.confirm:
            self._promote(whole.row.folder, save.step, before.step if before else None)
            return
        folder, step = whole.row.folder, save.step
        question = (
            f"Make step {grouped(step)} the voice '{one_line(whole.row.name)}'? The checkpoint that it is made of now "
            "is not kept: it cannot come back."
        )
        self.app.push_screen(
            Ask(question, yes="Promote", no="Leave it"),
            lambda yes: self._promote(folder, step, None) if yes else None,
        )

    def _promote(self, folder: Path, step: int, before: int | None, *, is_new: bool = True) -> None:
        job = self.submit("promote", folder, step=step)
        self._promoting[job.id] = before, is_new
        self.app.say(f"{one_line(folder.name)}: step {grouped(step)} becomes the voice", "run")

    def _ended(self, job: Job) -> None:
        if job.state != "done" and not self._promoting.pop(job.id, (None, True))[1]:
            self.turned(is_done=False)
        super()._ended(job)

    def promoted(self, job: Job, folder: Path) -> None:
        """Say what a promotion did to the songs, and remember the way back."""
        step = int(job.result["step"])
        before, is_new = self._promoting.pop(job.id, (None, True))
        songs = [song.title for song in self.app.songs if song.voice == folder.name]
        self.app.say(promotion_words(one_line(folder.name), step, songs, self.app.charset), "done")
        if not is_new:
            self.turned(is_done=True)
        elif before is not None:
            words = f"{one_line(folder.name)}: step {grouped(step)} in place of {grouped(before)}"
            self.remember(
                Change(
                    words,
                    lambda: self._promote(folder, before, None, is_new=False),
                    lambda: self._promote(folder, step, None, is_new=False),
                )
            )
        library = self.app.library
        if library is not None:
            for song in self.app.songs:
                if song.voice == folder.name:
                    library.look_again(song.folder)


def _saves(whole: Whole) -> bool:
    """Whether a training has something to save when it is asked to stop: before, it prepares."""
    now = whole.watched.now
    return now is not None and now.phase in ("train", "scores")


def _missing(profile: str) -> str:
    """Say how to get the content encoder of a profile where it is not here."""
    from covermaker.training.profiles import PROFILES
    from covermaker.voices.readiness import missing_weights, pull_words

    missing = missing_weights(PROFILES[profile].encoder)
    return f". First: {pull_words(missing)}" if missing else ""
