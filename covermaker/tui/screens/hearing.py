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

    from covermaker.play.messages import Side
    from covermaker.tui.project_sound import Sound
    from covermaker.tui.widgets.waveform import Loop

_PREVIEW_SECONDS = 8.0


class HearingScreen(OpenedScreen, inherit_bindings=False):
    """A screen with the waves ``a`` and ``b`` and a mixer, which plays a song."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn_side = "a"

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
        live = self.sound.words if self.sound is not None else ""
        return f"A ({live})" if side == "a" else f"B ({self._original})"

    def _title_waves(self) -> None:
        sound = self.sound
        if sound is None:
            return
        now = sound.player.position
        original = self._original
        sign = self.app.spelt("► " if now.playing else "· ")
        heard = f"{sign}{length(sound.seconds)}  hearing {now.hearing.upper()}" + (
            ", levels matched" if sound.matched else ""
        )
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
            if self._hearing != self._drawn_side:
                self._drawn_side = self._hearing
                self._draw_waves()
            self._title_waves()
            if sound.player.playing or any(sound.peak):
                self.query_one(Mixer).feed(self._levels(sound))

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

    def action_play(self) -> None:
        """Play or pause."""
        if self.sound is not None:
            if not self.sound.player.playing:
                self.app.silence(self)
            self.sound.play_or_pause()

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

    def action_listen(self) -> None:
        """Hear the vocal or the mix."""
        if self.sound is not None:
            self.sound.set_what(MIX if self.sound.what == VOCAL else VOCAL)
            self._draw_waves()

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
