"""Songs on a Ray cluster: each step a piece of work on some node, what it reads and makes in a store that all share.

The steps of a song are handed out one by one from here, as those before them are made; Ray places nothing by itself and
tries nothing again. So what waits is bounded, what is interrupted is told and begun again, and a node works only after
it has proved that it sees the store and the batch's folder.
"""

from __future__ import annotations

import itertools
import queue
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from covermaker.batch.engines.base import Place, Told
from covermaker.batch.engines.ray_cluster import connect, leave
from covermaker.batch.engines.ray_crew import Crew, rooms
from covermaker.batch.engines.ray_deaths import MOST, cause_of, verdict
from covermaker.batch.engines.ray_muster import Muster
from covermaker.batch.engines.ray_post import Mail
from covermaker.batch.engines.ray_sharing import Sharing
from covermaker.batch.engines.ray_song import RaySong
from covermaker.batch.engines.ray_waiting import Waiting
from covermaker.disk import disk_errors
from covermaker.errors import ExitCode, ResourceError, UsageError
from covermaker.graph.events import Note, SongDone, SongFailed, from_json
from covermaker.weights.device import checked_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from covermaker.batch.engines.base import Setting, Task
    from covermaker.batch.engines.ray_crew import Hand, Station
    from covermaker.batch.engines.ray_post import Said
    from covermaker.batch.engines.ray_song import Piece

_FOLDER: Final = "logs"

# Of what was told, before whoever asks hears of it.
_MOST_AT_ONCE: Final = 500

# How often progress goes home from each piece of work, and how many pieces share that before it is less often.
_PROGRESS_SECONDS: Final = 0.5
_PROGRESS_PIECES: Final = 100


@dataclass(eq=False)
class _Flight:
    """A piece that runs."""

    piece: Piece
    station: Station
    hand: Hand | None
    reference: Any


class RayEngine:
    """Renders songs on a cluster; see `covermaker.batch.engines.base.Engine`."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._songs: dict[int, RaySong] = {}
        self._alone: dict[int, RaySong] = {}  # those that must have a node for themselves: one at most
        self._flights: dict[Piece, _Flight] = {}
        self._waiting = Waiting()
        self._patient: list[Piece] = []  # those of songs that must be alone
        self._making: dict[str, list[Piece]] = {}
        self._heard: queue.SimpleQueue[Callable[[], list[Told]]] = queue.SimpleQueue()
        self._counter = itertools.count()
        self._is_lost = False  # the head does not answer: whatever is asked of Ray waits in vain
        self._stack = ExitStack()

    def open(self) -> None:
        """Reach the cluster and let every node prove that it can work.

        Raises
        ------
        UsageError
            When Ray is not installed, or the address or device is none for a cluster.
        ResourceError
            When nobody answers, a node does not see the store or the batch's folder, or none has a CPU.
        """
        try:
            self._open(checked_device(self._setting.device))
        except BaseException:
            self.close()
            raise

    def _open(self, device: str) -> None:
        if ":" in device:
            raise UsageError(f"--device {device} is a GPU of one machine", hint="use --device cuda")
        logs = self._setting.folder / _FOLDER
        with disk_errors(logs):
            logs.mkdir(parents=True, exist_ok=True)
        self._ray = connect(self._setting.address, self._setting.sized)
        self._stack.callback(lambda: leave(self._ray, is_lost=self._is_lost))
        self._sharing = self._stack.enter_context(Sharing(self._setting))
        self._crew = Crew(self._ray, logs.absolute(), gpus=device in {"auto", "cuda"}, heard=self._heard.put)
        self._muster = Muster(self._ray, self._sharing, self._crew, self._heard.put)
        self._muster.admit_all()
        if device == "cuda" and not any(one.share.gpus for one in self._crew.alive):
            raise ResourceError("no node of the cluster has a GPU", hint="use --device auto or cpu")
        self._mail = Mail(self._ray, lambda said: self._heard.put(partial(self._of_the_moment, said)))

    def places(self) -> list[Place]:
        """Tell what the nodes do."""
        stations = list(self._crew.stations.values())
        room = rooms(self._crew.alive, max(0, self._most_songs - len(self._songs)))
        return [
            Place(one.node.name, one.songs, room.get(one.node.name, 0) if one.alive else 0, one.note)
            for one in stations
        ]

    def takes(self, task: Task) -> bool:
        """Tell whether there is room for one more song; of those that must be alone, for one at a time."""
        if task.alone and self._alone:
            return False
        return len(self._songs) < self._most_songs

    def submit(self, task: Task) -> None:
        """Begin a song."""
        song = self._songs[task.song] = RaySong(task, next(self._counter))
        if task.alone:
            self._alone[task.song] = song
        piece = song.begin()
        assert piece is not None
        self._want(piece)
        self._hand_out()

    def hear(self, seconds: float) -> list[Told]:
        """Return what was told since, and hand out what became possible.

        Raises
        ------
        ResourceError
            When the head of the cluster is gone.
        """
        told: list[Told] = []
        until = time.monotonic() + seconds
        for _ in range(_MOST_AT_ONCE):
            try:
                come = self._heard.get(timeout=max(0.0, until - time.monotonic()) if not told else 0.0)
            except queue.Empty:
                break
            told += come()
            self._hand_out()
        try:
            self._muster.refresh()
        except ResourceError:
            self._is_lost = True
            raise
        self._mail.fetch()
        return told

    def cancel(self, song: int) -> None:
        """Drop a song at once; what it has made stays."""
        found = self._songs.get(song)
        if found is None:
            return
        failed = SongFailed(song, "cancelled", None, int(ExitCode.INTERRUPTED))
        told = [Told(song, "", failed)]
        self._let_go(found, kill=True)
        self._heard.put(lambda: told)

    def close(self) -> None:
        """Leave the cluster; what runs there for us ends with that."""
        self._songs.clear()
        self._flights.clear()
        self._stack.close()

    # Songs

    @property
    def _most_songs(self) -> int:
        most = self._crew.songs
        wanted = self._setting.more.get("songs")
        return min(most, wanted) if wanted else most

    def _want(self, piece: Piece) -> None:
        """Let a piece begin, or wait for a place; one that another song makes just now waits for that."""
        if piece.do == "step":
            if piece.key in self._making:
                self._making[piece.key].append(piece)
                return
            self._making[piece.key] = []
        if piece.song.task.alone:
            self._patient.append(piece)
            return
        station = self._crew.find(piece)
        if station is not None:
            self._start(piece, station)
            return
        self._waiting.put(piece)
        if piece.sings:
            self._crew.wake(self._waiting.singing, piece.song.last)

    def _hand_out(self) -> None:
        """Begin what can be begun where something became free."""
        for number in self._alone:
            if self._crew.alone(number) is None:
                self._crew.set_aside(number)
        patient, self._patient = self._patient, []
        for piece in patient:
            station = self._crew.find(piece)
            if station is not None and piece in piece.song.flying:
                self._start(piece, station)
            elif piece in piece.song.flying:
                self._patient.append(piece)
        for station in self._crew.freed():
            for sings in (True, False):
                while self._crew.has_room(station, sings=sings):
                    found = self._waiting.take(station.node.id, sings=sings)
                    if found is None:
                        break
                    self._start(found, station)
        self._crew.wake(self._waiting.singing)

    def _start(self, piece: Piece, station: Station) -> None:
        reference, hand = self._crew.start(piece, station, self._order(piece, station), self._mail.post)
        flight = self._flights[piece] = _Flight(piece, station, hand, reference)
        piece.song.last = station.node.id
        future = reference.future()
        future.add_done_callback(lambda done: self._heard.put(partial(self._landed, flight, done)))

    def _order(self, piece: Piece, station: Station) -> dict[str, Any]:
        song, share = piece.song, station.share
        device = self._setting.device if share.gpus or self._setting.device != "auto" else "cpu"
        request = {**song.task.request, "store": self._sharing.store, "attended": True, "device": device}
        return {
            "do": piece.do,
            "song": song.task.song,
            "key": piece.key,
            "request": request,
            "needs": piece.needs,
            "failed": song.failed,
            "places": self._sharing.folders,
            "token": self._sharing.token,
            "log": str(station.log),
            "node": station.node.name,
            "every": _PROGRESS_SECONDS * max(1.0, len(self._flights) / _PROGRESS_PIECES),
        }

    def _landed(self, flight: _Flight, done: Any) -> list[Told]:
        """Take what became of a piece of work."""
        piece, song = flight.piece, flight.piece.song
        if self._flights.pop(piece, None) is not flight:
            return []  # it was ended
        error = done.exception()
        self._crew.over(piece, flight.station, flight.hand, died=error is not None)
        self._release(piece)
        if piece not in song.flying:
            return []  # its song was dropped
        song.flying.discard(piece)
        if error is not None:
            return self._interrupted(flight, error)
        outcome, place = done.result(), flight.station.node.name
        told = [
            Told(song.task.song, place, event)
            for event in map(from_json, outcome["events"])
            if song.news(event)
        ]
        became = next(name for name in _BECAME if name in outcome)
        return told + _BECAME[became](self, flight, outcome)

    # What becomes of a piece

    def _planned(self, flight: _Flight, outcome: dict[str, Any]) -> list[Told]:
        for piece in flight.piece.song.planned(outcome["parts"], outcome["minutes"]):
            self._want(piece)
        return []

    def _made(self, flight: _Flight, outcome: dict[str, Any]) -> list[Told]:
        for piece in flight.piece.song.done(flight.piece):
            self._want(piece)
        return []

    def _ended(self, flight: _Flight, outcome: dict[str, Any]) -> list[Told]:
        song = flight.piece.song
        self._let_go(song)
        return [Told(song.task.song, flight.station.node.name, SongDone(song.task.song, outcome["result"]))]

    def _failed(self, flight: _Flight, outcome: dict[str, Any]) -> list[Told]:
        failure = dict(outcome["failure"])
        if failure["exit_code"] == ExitCode.AUDIO and not failure["hint"]:
            failure["hint"] = (
                f"this is what {flight.station.node.name} sees: --copy puts songs into the batch's folder"
            )
        return self._fail(flight.piece.song, flight.station.node.name, **failure)

    def _unseen(self, flight: _Flight, outcome: dict[str, Any]) -> list[Told]:
        """Take a node out that has lost what all must see."""
        station = flight.station
        words = f"{station.node.name} sees {' and '.join(outcome['unseen'])} no more; it gets no work"
        self._crew.lose(station, "does not see the shared folders")
        self._again(flight.piece)
        return [Told(None, station.node.name, Note(words))]

    def _without(self, flight: _Flight, outcome: dict[str, Any]) -> list[Told]:
        """Plan a song again without a plug-in that failed."""
        song, failed = flight.piece.song, outcome["without"]
        if any(one["settings"] == failed["settings"] for one in song.failed):
            return self._fail(
                song, flight.station.node.name, failed["message"], failed["hint"], int(ExitCode.RESOURCE)
            )
        song.failed.append(failed)
        self._plan_again(song)
        words = f"{failed['message']}; begun again without it ({failed['hint']})"
        return [Told(song.task.song, flight.station.node.name, Note(words))]

    def _moved(self, flight: _Flight, outcome: dict[str, Any]) -> list[Told]:
        """Plan a song again whose project was edited meanwhile."""
        if self._plan_again(flight.piece.song):
            return []
        place = flight.station.node.name
        return self._fail(
            flight.piece.song, place, f"{place} finds other steps in the project than the rest of the cluster",
            "are voices, plug-ins, presets and Covermaker the same on all nodes? see docs/cluster.md",
            int(ExitCode.RESOURCE),
        )  # fmt: skip

    def _interrupted(self, flight: _Flight, error: BaseException) -> list[Told]:
        """Take that a piece gave no outcome: begin it again, if that can help."""
        piece, station, place = flight.piece, flight.station, flight.station.node.name
        cause = cause_of(error)
        piece.interrupted[cause] = piece.interrupted.get(cause, 0) + 1
        what = f"'{piece.name}'" if piece.name else {"begin": "the plan", "end": "the end"}[piece.do]
        told = self._muster.doubt(station) if cause == "node" else []
        if piece.interrupted[cause] <= MOST.get(cause, 0):
            why = "is gone" if cause == "node" else "lost the process"
            self._again(piece)
            words = f"{place} {why} while it made {what}; it is made again"
            return [*told, Told(piece.song.task.song, place, Note(words))]
        message = verdict(cause, what, place, piece.interrupted[cause], error)
        return told + self._fail(
            piece.song, place, message, f"log: {station.log}", int(ExitCode.RESOURCE),
            out_of_memory=cause in {"memory", "process"},
        )  # fmt: skip

    def _again(self, piece: Piece) -> None:
        """Let a piece wait for another place."""
        piece.song.flying.add(piece)
        piece.song.again(piece)
        piece.song.last = ""
        self._want(piece)

    def _release(self, piece: Piece) -> None:
        """Let other songs have the step that a piece made, or did not make."""
        if piece in self._making.get(piece.key, []):
            return  # it waited itself
        for other in self._making.pop(piece.key, []):
            if other in other.song.flying:
                self._want(other)

    def _plan_again(self, song: RaySong) -> bool:
        self._drop_pieces(song)
        piece = song.begin()
        if piece is None:
            return False
        self._want(piece)
        return True

    def _fail(
        self,
        song: RaySong,
        place: str,
        message: str,
        hint: str | None,
        exit_code: int,
        *,
        out_of_memory: bool = False,
    ) -> list[Told]:
        number = song.task.song
        self._let_go(song)
        return [Told(number, place, SongFailed(number, message, hint, exit_code, out_of_memory))]

    def _let_go(self, song: RaySong, *, kill: bool = False) -> None:
        self._drop_pieces(song, kill=kill)
        self._songs.pop(song.task.song, None)
        if self._alone.pop(song.task.song, None):
            self._crew.give_back(song.task.song)

    def _drop_pieces(self, song: RaySong, *, kill: bool = False) -> None:
        """Want nothing more for a song; what runs for it comes to its end, unless it is killed."""
        for piece in list(song.flying):
            song.flying.discard(piece)
            flight = self._flights.get(piece)
            if flight is not None and not kill:
                continue
            if flight is not None:
                del self._flights[piece]
                self._crew.drop(piece, flight.station, flight.hand, flight.reference)
            self._release(piece)

    def _of_the_moment(self, said: Iterable[Said]) -> list[Told]:
        """Take what nodes tell while they work; a song that is over is past that."""
        told = []
        for number, place, line in said:
            song, event = self._songs.get(number), from_json(line)
            if song is not None and song.flying and song.news(event):
                told.append(Told(number, place, event))
        return told


_BECAME: Final[dict[str, Callable[[RayEngine, _Flight, dict[str, Any]], list[Told]]]] = {
    "parts": RayEngine._planned,
    "made": RayEngine._made,
    "result": RayEngine._ended,
    "failure": RayEngine._failed,
    "unseen": RayEngine._unseen,
    "without": RayEngine._without,
    "moved": RayEngine._moved,
}
