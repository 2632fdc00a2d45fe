"""What is heard on the Project screen: two waves, the playhead, the loop, A and B, the meters while it plays."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from textual import on
from textual.css.query import NoMatches

from covermaker.render.previewing import MIX
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_sound import VOCAL
from covermaker.tui.project_wave import Wave
from covermaker.tui.screens.opened import OpenedScreen
from covermaker.tui.widgets.waveform import Waveform
from covermaker.tui.words import length
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.timer import Timer

    from covermaker.play.messages import Side
    from covermaker.tui.project_sound import Sound
    from covermaker.tui.widgets.waveform import Loop

_PREVIEW_SECONDS = 8.0


class HearingScreen(OpenedScreen, inherit_bindings=False):
    """A screen with the waves ``a`` and ``b`` and a mixer, which plays a song."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn_side = "a"
        self._said_side: tuple[str, str] | None = None
        self._falling: Timer | None = None

    @property
    def _is_tall(self) -> bool:
        return "-tall" in self.classes

    def nothing(self) -> str:
        """Say why there is no wave, where there is none."""
        return self.problem or self.no_sound_why or "there is no sound yet: {project.render} renders it"

    def _draw_waves(self) -> None:
        a, b, drawn = self.query_one("#a", Wave), self.query_one("#b", Wave), self.pictures
        a.nothing = b.nothing = self.nothing()
        vocal = self.sound is None or self.sound.what == VOCAL
        if drawn is None:
            a.show_sound(None)
            b.show_sound(None)
        else:
            sounds = {
                "a": (drawn.converted if vocal else drawn.master, 2.0 ** (drawn.sounds.semitones / 12.0)),
                "b": (drawn.vocal if vocal else drawn.song, 1.0),
            }
            keep = a.seconds > 0
            for wave, (peaks, factor) in (
                (a, sounds["a" if self._is_tall else self._hearing]),
                (b, sounds["b"]),
            ):
                wave.show_sound(peaks, keep_view=keep)
                if drawn.pitch is not None:
                    times, hz = drawn.pitch
                    wave.show_pitch(times, hz * factor)
        self._title_waves()

    @property
    def _hearing(self) -> str:
        return self.sound.player.hearing if self.sound is not None else "a"

    @property
    def _original(self) -> str:
        """What B is."""
        return "vocal, original" if self.sound is None or self.sound.what == VOCAL else "song, original"

    def side_words(self, side: Side) -> str:
        """Say what a side is."""
        sound = self.sound
        live = "" if sound is None else "mix of the loop" if sound.is_live else sound.words
        return f"A ({live})" if side == "a" else f"B ({self._original})"

    def say_side(self, side: Side, *, is_on: bool) -> None:
        """Say what is heard, or would be, and remember how that was said."""
        super().say_side(side, is_on=is_on)
        self._said_side = self.app.last_words()

    def _say_side_anew(self, *, is_on: bool | None = None) -> None:
        """Say what is heard now, where the last thing said is what was heard before."""
        sound = self.sound
        if sound is not None and self._said_side == self.app.last_words():
            self.say_side(sound.player.hearing, is_on=sound.is_on if is_on is None else is_on)

    def _title_waves(self) -> None:
        sound = self.sound
        if sound is None:
            return
        now = sound.player.position
        original = self._original
        sign = self.app.spelt("► " if now.playing else "· ")
        is_drawn = any(wave.seconds > 0 for wave in self.query(Wave))
        heard = f"{sign}{length(sound.seconds)}" if is_drawn or now.playing else ""
        if now.playing or (is_drawn and sound.no_play() is None):
            heard += f"  hearing {now.hearing.upper()}" + (", levels matched" if sound.matched else "")
        a, b = self.query_one("#a", Wave), self.query_one("#b", Wave)
        a.border_title = f"A {sound.words}" if self._is_tall or now.hearing == "a" else f"B {original}"
        b.border_title = f"B {original}"
        a.border_subtitle = heard

    def _sound_changed(self) -> None:
        """Move the playhead and the meters."""
        sound = self.sound
        if sound is None or not self.is_mounted or not self.is_current:
            return
        with suppress(NoMatches):  # the panes go before the screen does
            for wave in self.query(Wave):
                wave.position = sound.seconds
            self.query_one(Mixer).show_moment(sound.seconds)
            if self._hearing != self._drawn_side:
                self._drawn_side = self._hearing
                self._draw_waves()
            self._title_waves()
            if sound.player.playing:
                self.query_one(Mixer).feed(self._levels(sound))
            else:
                self._let_fall()

    def came_back(self) -> None:
        """Show what is heard now: another screen may have begun to play."""
        self._sound_changed()

    def _let_fall(self) -> None:
        """Let the meters fall: nobody tells of levels while nothing plays."""
        if self._falling is None and not self.query_one(Mixer).is_at_rest:
            self._falling = self.set_interval(1.0 / self.app.settings.fps, self._fall)

    def _fall(self) -> None:
        is_over = self.sound is not None and self.sound.player.playing
        for mixer in self.query(Mixer):  # none once the panes have gone before the screen
            if not is_over:
                mixer.feed({})
            is_over = is_over or mixer.is_at_rest
        if is_over and self._falling is not None:
            self._falling.stop()
            self._falling = None

    def _levels(self, sound: Sound) -> Mapping[str, Sequence[float]]:
        """Return the levels of the channels: as the preview measured them, else of the tracks as rendered."""
        playing = sound.player.playing
        told = dict(sound.strip_peaks() or {}) if playing else {}
        if playing and not told and self.pictures is not None and sound.what == MIX:
            at = sound.player.position.seconds
            for row in self.query_one(Mixer).rows:
                peaks = self.pictures.tracks.get(row.name)
                if peaks is not None and not row.mute and row.value is not None:
                    low, high = peaks.columns(max(0.0, at - 0.05), at + 0.01, 1)
                    told[row.name] = [max(-float(low[0]), float(high[0])) * db_to_gain(row.value)] * 2
        return {**told, "MASTER": sound.peak if playing else (0.0, 0.0)}

    @on(Waveform.Sought)
    def _sought(self, message: Waveform.Sought) -> None:
        if self.sound is not None:
            self.sound.seek(message.seconds)
            for wave in self.query(Wave):
                wave.position = message.seconds
            self.query_one(Mixer).show_moment(message.seconds)
            self._title_waves()

    @on(Waveform.Looped)
    def _looped(self, message: Waveform.Looped) -> None:
        self._take_loop(message.waveform, message.loop)

    def _take_loop(self, changed: Waveform, loop: Loop | None) -> None:
        """Show a loop on both waves, and hear it."""
        for wave in self.query(Wave):
            wave.loop, wave.looping = changed.loop, changed.looping
        if self.sound is not None:
            self.sound.set_loop(loop)
            self._title_waves()
            self._say_side_anew()

    def action_play(self) -> None:
        """Play or pause."""
        if self.sound is not None:
            is_on = not self.sound.is_on
            if not self.sound.player.playing:
                self.app.silence(self)
            self.sound.play_or_pause()
            self._say_side_anew(is_on=is_on)

    def action_preview(self) -> None:
        """Hear the mix of the loop as it would be; sets a loop where there is none."""
        sound, wave = self.sound, self.query_one("#a", Wave)
        if sound is None:
            return
        if not wave.looping:
            if wave.loop is None:
                begin = min(wave.position, max(0.0, wave.seconds - 1.0))
                wave.loop = (begin, min(begin + _PREVIEW_SECONDS, wave.seconds))
            wave.looping = True
            self._take_loop(wave, wave.loop)
        sound.set_what(MIX)
        self._draw_waves()
        if not sound.is_on:
            self.app.silence(self)
            sound.play_or_pause()
        self._say_side_anew()

    def action_listen(self) -> None:
        """Hear the vocal or the mix."""
        if self.sound is not None:
            self.sound.set_what(MIX if self.sound.what == VOCAL else VOCAL)
            self._draw_waves()
            self._say_side_anew()

    def action_rewind(self) -> None:
        """Go back five seconds."""
        self.query_one("#a", Wave).action_seek(-5.0)

    def action_forward(self) -> None:
        """Go on by five seconds."""
        self.query_one("#a", Wave).action_seek(5.0)

    def action_loop_in(self) -> None:
        """Begin the loop here."""
        self.query_one("#a", Wave).action_loop_in()

    def action_loop_out(self) -> None:
        """End the loop here."""
        self.query_one("#a", Wave).action_loop_out()

    def action_loop(self) -> None:
        """Turn the loop on or off."""
        self.query_one("#a", Wave).action_loop_toggle()
