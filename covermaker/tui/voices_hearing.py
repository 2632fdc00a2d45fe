"""What is heard on the Voices screen: checkpoints on the test phrases, A against B; takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.jobs.launch import COMMAND
from covermaker.render.previewing import SUNG
from covermaker.takes.document import TAKES_FOLDER
from covermaker.training.sung import given_file, sung_file
from covermaker.tui.presets_sound import Trial
from covermaker.tui.screens.base import StudioScreen
from covermaker.tui.stretch import open_stretch
from covermaker.tui.voices_model import log_file
from covermaker.tui.voices_panes import SaveList, TakeList
from covermaker.tui.voices_sound import Audition
from covermaker.tui.voices_text import grouped
from covermaker.tui.words import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from covermaker.training.watch import Checkpoint
    from covermaker.tui.job_board import Job
    from covermaker.tui.voices_model import Whole

# What a checkpoint can be held against, and how it is called.
_AGAINST: Final = {"best": "the best", "singer": "the singer", "source": "what was sung to it"}
_USUAL_PHRASE: Final = "sung"


class HearingVoices(StudioScreen, inherit_bindings=False):
    """A screen with checkpoints and takes that can be heard."""

    def __init__(self) -> None:
        super().__init__()
        self.whole: Whole | None = None
        self.sound: Audition | None = None
        self.phrase = _USUAL_PHRASE
        self._b = "best"
        self.trial: Trial | None = None
        self._play_next: tuple[Path, int, str] | None = None

    # What is chosen

    @property
    def phrases(self) -> list[str]:
        """The test phrases of the voice, as its training made them or its scores name them."""
        if self.whole is None:
            return []
        watched = self.whole.watched
        return list(watched.phrases) or sorted(
            {kind for save in watched.checkpoints for kind in save.figures}
        )

    @property
    def saves(self) -> dict[int, Checkpoint]:
        """The checkpoints by their steps, the newest first."""
        found = self.whole.watched.checkpoints if self.whole is not None else ()
        return {save.step: save for save in reversed(found)}

    @property
    def save(self) -> Checkpoint | None:
        """The selected checkpoint."""
        step = self.query_one(SaveList).selected
        return self.saves.get(step) if step is not None else None

    def _other(self) -> Checkpoint | None:
        """Return the checkpoint that the selected one is held against: the marked one, the voice, the best."""
        listing, save = self.query_one(SaveList), self.save
        kept = [one for one in self.saves.values() if one.kept and one is not save]
        for is_it in (
            lambda one: one.step in listing.marked,
            lambda one: one.is_voice,
            lambda one: one.is_best,
        ):
            found = next((one for one in kept if is_it(one)), None)
            if found is not None:
                return found
        return None

    def _side_b(self) -> tuple[Path, str]:
        """Return the file of B and what it is."""
        assert self.whole is not None
        other = self._other() if self._b == "best" else None
        if other is not None:
            return sung_file(self.whole.row.folder, other.step, self.phrase), f"step {grouped(other.step)}"
        name = "source" if self._b == "source" else "singer"
        return given_file(self.whole.row.folder, name, self.phrase), _AGAINST[name]

    def _choose_phrase(self) -> None:
        """Stay at the phrase where the voice has it."""
        if self.phrases and self.phrase not in self.phrases:
            self.phrase = _USUAL_PHRASE if _USUAL_PHRASE in self.phrases else self.phrases[0]

    # Playing

    def _player(self) -> Audition:
        if self.sound is None:
            self.sound = Audition(log_file("all", "audio"), self.app.ears(self.show_heard))
        return self.sound

    def show_heard(self) -> None:
        """Say what is heard."""

    def no_play(self) -> str | None:
        """Say why nothing can be heard."""
        if self.app.is_web:
            return "in a browser there is no sound; the files are in the voice's folder"
        if self.pane() is self.query_one(TakeList):
            return self._no_take()
        save, whole = self.save, self.whole
        if whole is not None and save is None and whole.row.card is not None:
            return self._no_song()
        if whole is None or save is None:
            return "there is no checkpoint to hear: {voices.train} trains"
        if not save.kept:
            return f"the checkpoint of step {grouped(save.step)} is not kept"
        if not self._unsung():
            return None
        if whole.row.card is None:
            return "there is no voice yet: its first scored save makes one"
        if whole.watched.busy:
            return "a training or an audition is at work in its folder: wait, or {voices.stop} stops it"
        return None

    def _no_song(self) -> str | None:
        """Say why the voice cannot sing a stretch of the open song."""
        if self.whole is not None and self.whole.row.problem:
            return "it is damaged: its card says how"
        if self.app.project is None:
            return "open a song first, and it sings a stretch of that: {studio.library}, then {library.open}"
        return None

    def _no_take(self) -> str | None:
        name = self.query_one(TakeList).selected
        if self.whole is None or name is None:
            return "there is no take to hear"
        gone = any(take.missing for take in self.whole.takes if take.file == name)
        return "the recording is missing from the voice's folder" if gone else None

    def _unsung(self) -> list[int]:
        """Return the checkpoints of A and B that have not sung the phrase yet."""
        other = self._other() if self._b == "best" else None
        pair = [one for one in (self.save, other) if one is not None]
        return [one.step for one in pair if self.phrase not in one.sung]

    def action_play(self) -> None:
        """Play or pause."""
        assert self.whole is not None
        takes = self.query_one(TakeList)
        if self.pane() is takes:
            name = takes.selected or ""
            self.app.silence(self)
            self._player().play(self.whole.row.folder / TAKES_FOLDER / name, None, (one_line(name), ""))
            return
        if self.save is None:
            self._sing_song()
        else:
            self._hear()

    def _sing_song(self) -> None:
        """Hear a stretch of the open song with the voice, or stop; A is the song as it is."""
        folder, whole = self.app.project, self.whole
        if folder is None or whole is None:
            return
        name = whole.row.name
        if self.trial is not None and self.trial.is_on and self.trial.name == name:
            self.trial.stop()
            return
        if self.trial is None or self.trial.folder != folder:
            self._end_trial()
            self.trial = Trial(
                folder, self.app.ears(self.show_heard), command=COMMAND, device=self.app.settings.device
            )
        self.app.silence(self)
        if self.sound is not None:
            self.sound.pause()
        self.app.say(
            f"{one_line(name)} sings a stretch of the open song: {{voices.switch}} is the song as it is"
        )
        # What the song says of another voice alone would be refused.
        changes = {
            "voice.name": name,
            **dict.fromkeys(("voice.train", "convert.singers", "convert.auto_pitch")),
        }
        self.trial.hear(name, SUNG, open_stretch(self.app, self, folder), changes)

    def trial_words(self) -> str:
        """Say what is heard of the open song; nothing when nothing is."""
        words = self.trial.words() if self.trial is not None else ""
        return self.app.spelt(f"► {words}") if words else ""

    def _end_trial(self) -> None:
        trial, self.trial = self.trial, None
        if trial is not None:
            self.run_worker(trial.close(), group="voices-trial", exit_on_error=False)

    def on_screen_suspend(self) -> None:
        """Hold no memory for singing that a render may want."""
        super().on_screen_suspend()
        if self.trial is not None and self.app.current_mode != self.SCREEN:
            self.trial.rest()

    def _hear(self, *, toggle: bool = True) -> None:
        """Play the selected checkpoint, or pause it when it plays; let it sing first where it has not."""
        assert self.whole is not None
        save = self.save
        if save is None:
            return
        unsung = self._unsung()
        if unsung:
            self._play_next = (self.whole.row.folder, save.step, self.phrase)
            job = self.let_sing(unsung)
            steps = " and ".join(grouped(step) for step in unsung)
            self.app.say(f"step {steps} sings the test phrases first" if job else "it is singing", "run")
            return
        self.app.silence(self)
        file, words = self._side_b()
        a = sung_file(self.whole.row.folder, save.step, self.phrase)
        self._player().play(a, file, (f"step {grouped(save.step)}", words), toggle=toggle)
        self.show_heard()

    def pause(self) -> None:
        """Stop what plays, and what would once a checkpoint has sung."""
        self._play_next = None
        if self.sound is not None:
            self.sound.pause()
        if self.trial is not None and self.trial.is_on:
            self.trial.stop()

    def let_sing(self, steps: list[int]) -> Job | None:
        """Queue an audition; None where one is at work already."""
        raise NotImplementedError

    def audition_done(self, folder: Path) -> None:
        """Play what was waited for, if it is still what is looked at."""
        wish, self._play_next = self._play_next, None
        if wish is None or self.whole is None or self.save is None:
            return
        here = (self.whole.row.folder, self.save.step, self.phrase)
        if wish == here and folder == here[0] and not self._unsung():
            self._hear()

    def no_switch(self) -> str | None:
        """Say why there is nothing to compare."""
        if self._is_trying:
            return None
        if self.sound is None or self.sound.pair is None:
            return "nothing plays yet: {voices.play} plays"
        return None if self.sound.pair[1] is not None else "a take has no other side"

    @property
    def _is_trying(self) -> bool:
        """Whether a stretch of the song is heard."""
        return self.trial is not None and self.trial.player.playing

    def action_switch(self) -> None:
        """Hear the other side."""
        if self._is_trying and self.trial is not None:
            self.trial.switch()
        elif self.sound is not None:
            self.sound.switch()

    def action_against(self) -> None:
        """Hold the checkpoint against something else."""
        names = list(_AGAINST)
        before, words = self._side_b()
        for _ in names:  # the best one has nothing better beside it: then that is the singer, too
            self._b = names[(names.index(self._b) + 1) % len(names)]
            file, words = self._side_b()
            if file != before:
                break
        self.app.say(f"B is {words}")
        self._follow()

    def action_phrase(self) -> None:
        """Go to the next test phrase."""
        names = self.phrases
        self.phrase = names[(names.index(self.phrase) + 1) % len(names)] if self.phrase in names else names[0]
        self.app.say(f"test phrase: {one_line(self.phrase)}")
        self.show_saves()
        self._follow()

    def _follow(self) -> None:
        """Play what is chosen now in place of what plays."""
        if self.sound is None or not self.sound.player.playing or self.save is None or self.whole is None:
            self.show_heard()
            return
        if self.no_play() is None and self.pane() is not self.query_one(TakeList):
            self._hear(toggle=False)

    def show_saves(self) -> None:
        """Draw the checkpoints again."""

    def action_match(self) -> None:
        """Make A and B equally loud, or leave them."""
        self._player().match()

    def action_rewind(self) -> None:
        """Go back five seconds."""
        if self.sound is not None:
            self.sound.move(-5.0)

    def action_forward(self) -> None:
        """Go on by five seconds."""
        if self.sound is not None:
            self.sound.move(5.0)

    async def on_unmount(self) -> None:
        """End the audio process with the screen."""
        sound, self.sound = self.sound, None
        trial, self.trial = self.trial, None
        for one in (sound, trial):
            if one is not None:
                await one.close()
