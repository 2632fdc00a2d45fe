"""What the Project screen does with channels: groups and buses come and go, values move over the song, bars are shown.

`covermaker desk` does the same by commands.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual import on

from covermaker.errors import CovermakerError
from covermaker.project.document import CONVERTED, NAME_PATTERN
from covermaker.project.edits import (
    AddBus,
    AddGroup,
    AddTrack,
    RemoveBus,
    RemoveGroup,
    RemoveTrack,
    ResetValue,
    SetNow,
    SetPoint,
    SetSend,
    SetValue,
    Together,
)
from covermaker.project.lanes import lane_of
from covermaker.project.operations import on_values
from covermaker.tui.ask import AskName
from covermaker.tui.choose import choose
from covermaker.tui.project_channels import NEAR_SECONDS, move_words
from covermaker.tui.project_lanes import lane_words, line_of, point_choices, value_of
from covermaker.tui.project_mixer import Mixer
from covermaker.tui.project_sections import sections
from covermaker.tui.project_wave import Wave
from covermaker.tui.screens.editing import EditingScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from covermaker.features.song.music import Music
    from covermaker.project.document import Cover
    from covermaker.project.operations import Edit
    from covermaker.tui.job_board import Job
    from covermaker.tui.project_channels import Channel

_REMOVES: Final = {"track": RemoveTrack, "group": RemoveGroup, "bus": RemoveBus}
_INSTRUMENTAL = "instrumental"
_STRAIGHT = "straight into the mix"
_NEW_GROUP = "a new group"


class Desking(EditingScreen, inherit_bindings=False):
    """See the module."""

    def __init__(self) -> None:
        self._wants_bars = False
        self._hears: Job | None = None
        super().__init__()

    # Values that move

    def _put(self, place: str, value: Any, *, gesture: str | None = None) -> None:
        """Save a value: where it moves, as a point at the playhead."""
        if place == "sections":
            super()._put(place, value, gesture=gesture)
            return
        self.edits.put(SetNow(place, value, round(self._here, 2), NEAR_SECONDS), gesture=gesture)

    def changes_of(self, place: str, value: Any) -> dict[str, Any]:
        """Return what a preview has to be told: of what moves all that moves."""
        project = self.edits.project
        if project is not None and value is not None:
            values = self._values_now(project.document.values)
            try:
                if lane_of(values, place) is not None:
                    edit = SetPoint(place, round(self._here, 2), value, NEAR_SECONDS)
                    return {"automation": on_values(values, edit.operations(values))["automation"]}
            except CovermakerError:
                return {}  # the channel is gone; saving says so
        return {place: value}

    def _values_now(self, values: dict[str, Any]) -> dict[str, Any]:
        moving = self._unsaved.get("automation")
        return values if moving is None else {**values, "automation": moving}

    @property
    def _here(self) -> float:
        """Where the playhead is, in seconds."""
        return self.query_one("#a", Wave).position

    @on(Mixer.Chosen)
    def _mixer_chosen(self) -> None:
        self.show_moves()

    def show_moves(self) -> None:
        """Draw what moves of the chosen channel: what its fader shows, or else the first that does."""
        mixer = self.query_one(Mixer)
        row = mixer.row if mixer.rows else None
        key = "" if row is None else mixer.key if mixer.key in row.moves else next(iter(row.moves), "")
        course = row.moves[key] if row is not None and key else None
        self.query_one("#a", Wave).show_moves(line_of(key, course) if course is not None else None)

    @on(Mixer.Asked)
    def _asked(self, message: Mixer.Asked) -> None:
        does: dict[str, Callable[[Channel, str], None]] = {
            "point": self._set_point,
            "moves": self._offer_moves,
            "group": self._offer_groups,
            "add": self._offer_kinds,
            "remove": self._remove_channel,
            "pre": self._turn_send,
        }
        if self.edits.project is not None:
            does[message.what](message.row, message.key)

    def _set_point(self, row: Channel, key: str) -> None:
        self.edits.put(SetPoint(f"{row.place}.{key}", round(self._here, 2), value_of(row, key), NEAR_SECONDS))

    def _offer_moves(self, row: Channel, _: str) -> None:
        keys = ["gain_db", "pan", "mute", *(f"sends.{bus}" for bus in row.sends or {})]
        keys += [key for key in row.moves if key not in keys]
        by_name = {move_words(key): key for key in keys}
        offered = [
            (name, lane_words(key, row.moves[key]) if key in row.moves else "does not move")
            for name, key in by_name.items()
        ]

        def chosen(name: str) -> None:
            self._offer_points(row, by_name[name])

        choose(self.app, f"what moves of {row.name}", offered, chosen)

    def _offer_points(self, row: Channel, key: str) -> None:
        """Offer what can be done with one thing that moves, or may."""
        project = self.edits.project
        if project is None:
            return
        can = point_choices(project.document.values, row, key, round(self._here, 2))

        def chosen(name: str) -> None:
            self.edits.put(can[name][1])

        offered = [(name, words) for name, (words, _) in can.items()]
        choose(self.app, f"{row.name} {move_words(key)}", offered, chosen)

    # Channels

    def _turn_send(self, row: Channel, key: str) -> None:
        bus = key.removeprefix("sends.")
        level = (row.sends or {}).get(bus)
        if level is not None:
            static = self._static_send(row, bus)
            self.edits.put(
                SetSend(row.place, bus, level if static is None else static, bus not in row.pre_fader)
            )

    def _static_send(self, row: Channel, bus: str) -> float | None:
        """Return what the document says of a send, which may move."""
        rows = self.query_one(Mixer).rows
        return next(((one.sends or {}).get(bus) for one in rows if one.place == row.place), None)

    def _remove_channel(self, row: Channel, _: str) -> None:
        self.edits.put(_REMOVES[row.kind](row.name))

    def _offer_groups(self, row: Channel, _: str) -> None:
        project = self.edits.project
        assert project is not None
        inside = _inside(project.cover, row.name) if row.kind == "group" else {row.group}
        offered = [
            (group.name, f"with {', '.join(_members(project.cover, group.name)) or 'nothing yet'}")
            for group in project.cover.groups
            if group.name not in inside and group.name != row.group
        ]
        if row.group:
            offered.append((_STRAIGHT, f"take it out of {row.group}"))
        offered.append((_NEW_GROUP, "with a fader and a rack of its own"))
        choose(self.app, f"where {row.name} goes", offered, partial(self._put_into, row))

    def _put_into(self, row: Channel, group: str) -> None:
        place = f"{row.place}.group"
        if group == _STRAIGHT:
            self.edits.put(ResetValue(place))
        elif group != _NEW_GROUP:
            self.edits.put(SetValue(place, group))
        else:

            def named(name: str) -> Edit:
                if row.kind == "track":
                    return AddGroup({"name": name}, (row.name,))
                edits = (AddGroup({"name": name}), SetValue(place, name))
                return Together(edits, f"added group {name} of {row.name}")

            self._ask_name("group", named)

    def _offer_kinds(self, *_: Any) -> None:
        state = getattr(self, "state", None)
        stems = [stem for stem in (state.stems if state is not None else ()) if stem != "accompaniment"]
        sources = {CONVERTED: "what the voice sings", _INSTRUMENTAL: "all of the song but the vocals"}
        sources |= dict.fromkeys(stems, "a stem of the song")
        offered = [
            ("group", "tracks that are mixed together first: one fader and one rack for all of them"),
            ("bus", "an effect that channels send to, as a reverb"),
            *((f"track: {source}", f"plays {words}") for source, words in sources.items()),
        ]
        choose(self.app, "what to add", offered, self._add)

    def _add(self, what: str) -> None:
        kind, _, source = what.partition(": ")
        adds: dict[str, Callable[[str], Edit]] = {
            "group": lambda name: AddGroup({"name": name}),
            "bus": lambda name: AddBus({"name": name}),
            "track": lambda name: AddTrack({"name": name, "source": source}),
        }
        self._ask_name(kind, adds[kind])

    def _ask_name(self, kind: str, edit: Callable[[str], Edit]) -> None:
        """Ask for a name, and add what gets it."""

        def named(name: str | None) -> None:
            if name:
                self.edits.put(edit(name))

        self.app.push_screen(
            AskName(f"The name of the new {kind}:", "", partial(self._name_problem, kind)), named
        )

    def _name_problem(self, kind: str, name: str) -> str:
        project = self.edits.project
        if not re.fullmatch(NAME_PATTERN, name):
            return "lower-case letters, digits, - and _ only, 32 at most"
        if project is None:
            return ""
        cover = project.cover
        mixed = [track.name for track in cover.tracks] + [group.name for group in cover.groups]
        taken = [bus.name for bus in cover.buses] if kind == "bus" else mixed
        return f"there is a '{name}' already" if name in taken else ""

    # Bars

    @property
    def music(self) -> Music | None:
        """What is known of the song's bars and parts."""
        return self.pictures.music if self.pictures is not None else None

    def show_music(self) -> None:
        """Show bars and parts, once they are known."""
        project = self.edits.project
        for wave in self.query(Wave):
            wave.show_music(self.music)
            if project is not None:
                wave.show_sections(sections(project.cover, self.music))
        if self._wants_bars and self.music is not None:
            self._wants_bars = False
            self._count_bars(True)

    @on(Wave.BarsWanted)
    def _bars_wanted(self) -> None:
        wave = self.query_one("#a", Wave)
        if wave.by_bars:
            self._count_bars(False)
        elif self.music is not None:
            self._count_bars(True)
        elif self.folder is not None and not self._wants_bars:
            self._wants_bars = True
            title = self.edits.project.cover.title if self.edits.project is not None else self.folder.name
            self._hears = self.app.listen_to(self.folder, title)
            self.app.say("listening for the beats of the song", "run")

    def _count_bars(self, wanted: bool) -> None:
        music = self.music
        if wanted and (music is None or not music.beats):
            self.app.say("no beat was found in the song: there are no bars to count", "stale")
            return
        for wave in self.query(Wave):
            wave.count_bars(wanted)
        if not wanted or music is None:
            self.app.say("the ruler counts seconds")
            return
        tempo = f"{music.tempo_bpm:.1f} bpm" if music.tempo_bpm else "no steady tempo"
        bars = (
            f"{music.beats_per_bar} beats a bar" if music.beats_per_bar else "bars unclear: loops go to beats"
        )
        self.app.say(f"the ruler counts bars, loops go to them: {tempo}, {bars}")

    def jobs_changed(self) -> None:
        """Look anew when somebody has listened to the song."""
        super().jobs_changed()
        job = self._hears
        if job is not None and job.is_over:
            self._hears = None
            if job.state == "done":
                self.look_again()
            else:
                self._wants_bars = False

    def _forget_listening(self) -> None:
        super()._forget_listening()
        self._wants_bars, self._hears = False, None


def _members(cover: Cover, group: str) -> list[str]:
    tracks = [track.name for track in cover.tracks if track.group == group]
    return tracks + [one.name for one in cover.groups if one.group == group]


def _inside(cover: Cover, group: str) -> set[str]:
    """Return a group and all groups in it: it cannot go into one of these."""
    found = {group}
    for _ in cover.groups:
        found |= {one.name for one in cover.groups if one.group in found}
    return found
