"""Sessions as REAPER projects: text in nested blocks, a line a property.

Volumes are factors. An envelope of a pan counts left as positive, one of a mute is 0 where it is muted. Automation is
read (mode 1): it takes the place of the fader, as it does here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from covermaker.disk import write_text
from covermaker.export.session import gains, values
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from covermaker.effects.automation import Automation
    from covermaker.export.session import Channel, Clip, Send, Session

Block: TypeAlias = "list[str | Block]"

SUFFIX = ".rpp"
_HEAD = 'REAPER_PROJECT 0.1 "7.0/covermaker" 0'  # REAPER puts its own name there
_LINE, _SQUARE = 0, 1  # shapes of points
_FOLDER, _LAST = 1, 2  # what a track is among folders
_POST_FADER, _PRE_FADER = 0, 3
_SOLO_IN_PLACE = 2  # what it sends to is heard with it


def write_reaper(session: Session, file: Path, *, media: str) -> None:
    """Write a session as a REAPER project.

    Parameters
    ----------
    file : Path
        ``.rpp``; replaced whole or not at all.
    media : str
        Folder of the clips, seen from the project.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    write_text(file, "\n".join(_lines(project(session, media=media), 0)) + "\n")


def is_ours(file: Path) -> bool:
    """Tell whether a project was written here, and has not been saved by REAPER since."""
    with file.open("rb") as opened:
        return opened.read(len(_HEAD) + 1) == f"<{_HEAD}".encode()


def project(session: Session, *, media: str) -> Block:
    """Return the project: its first entry is the head of the block."""
    ordered = session.in_order()
    block: Block = [
        _HEAD,
        ["NOTES 0 2", *(f"|{_flat(line)}" for line in session.notes)],
        "PANLAW 1",
        "PANMODE 3",  # stereo balance
        f"SAMPLERATE {session.sample_rate} 1 0",
        f"TEMPO {_tempi(session)[0][1]} {session.tempo.metres[0][1]} 4",
        "MASTER_VOLUME 1 0 -1 -1 1",
        _tempo_envelope(session),
    ]
    for number, (begin, end, name) in enumerate(session.sections, start=1):
        identity = session.id_of("section", str(number))
        block.append(f"MARKER {number} {_number(begin)} {_quoted(name)} 1 0 1 R {{{identity}}} 0")
        block.append(f'MARKER {number} {_number(end)} "" 1')
    numbers = {(one.kind == "bus", one.name): at for at, one in enumerate(ordered)}
    depths = _depths(session)
    for at, channel in enumerate(ordered):
        closes = depths[at] - (depths[at + 1] if at + 1 < len(ordered) else 0)
        senders = [
            (numbers[one.kind == "bus", one.name], send)
            for one in ordered
            for send in one.sends
            if channel.kind == "bus" and send.bus == channel.name
        ]
        block.append(_track(session, channel, closes, senders, media))
    return block


def _depths(session: Session) -> list[int]:
    """Return in how many groups each channel stands, in order."""
    groups = {one.name: one for one in session.channels if one.kind == "group"}
    found = []
    for channel in session.in_order():
        depth = 0
        while channel.group:
            channel, depth = groups[channel.group], depth + 1
        found.append(depth)
    return found


def _track(
    session: Session, channel: Channel, closes: int, senders: Sequence[tuple[int, Send]], media: str
) -> Block:
    identity = session.id_of(channel.kind, channel.name)
    kind, depth = (_FOLDER, 1) if closes < 0 else (_LAST, -closes) if closes else (0, 0)
    solo = _SOLO_IN_PLACE if channel.solo else 0
    block: Block = [
        f"TRACK {{{identity}}}",
        f"NAME {_quoted(channel.name)}",
        f"AUTOMODE {int(bool(channel.moves))}",
        f"VOLPAN {_number(channel.gain)} {_number(channel.pan)} -1 -1 1",
        # The third: a solo elsewhere does not silence a bus.
        f"MUTESOLO {int(channel.mute)} {solo} {int(channel.kind == 'bus')}",
        f"ISBUS {kind} {depth}",
        "NCHAN 2",
        "FX 1",
        f"TRACKID {{{identity}}}",
        "MAINSEND 1 0",
    ]
    for number, send in senders:
        mode = _PRE_FADER if send.pre_fader else _POST_FADER
        gain = _number(db_to_gain(send.gain_db))
        # Source track, mode, volume, pan, mute, mono, phase, channels from and to, law, MIDI, automation mode.
        moving = 1 if send.course else -1
        block.append(f"AUXRECV {number} {mode} {gain} 0 {int(not send.on)} 0 0 0 0 -1:U 0 {moving} ''")
        if send.course:
            block.append(_envelope("AUXVOLENV", send.course, gains(send.course)))
    if "gain_db" in channel.moves:
        course = channel.moves["gain_db"]
        block.append(_envelope("VOLENV2", course, gains(course)))
    if "pan" in channel.moves:
        course = channel.moves["pan"]
        block.append(_envelope("PANENV2", course, [(at, -pan) for at, pan in values(course)]))
    if "mute" in channel.moves:
        course = channel.moves["mute"]
        block.append(_envelope("MUTEENV", course, [(at, 1.0 - muted) for at, muted in values(course)]))
    if channel.clip:
        block.append(_item(session, channel, channel.clip, media))
    return block


def _item(session: Session, channel: Channel, clip: Clip, media: str) -> Block:
    seconds = min(clip.seconds, session.seconds)
    return [
        "ITEM",
        "POSITION 0",
        f"LENGTH {_number(seconds)}",
        "LOOP 0",
        "FADEIN 1 0 0 1 0 0 0",
        f"FADEOUT 1 {_number(clip.fade_seconds)} 0 1 0 0 0",
        f"MUTE {int(not clip.sounds)} 0",
        f"IGUID {{{session.id_of(channel.kind, channel.name, 'item')}}}",
        f"NAME {_quoted(channel.name)}",
        "VOLPAN 1 0 1 -1",
        "SOFFS 0",
        ["SOURCE WAVE", f"FILE {_quoted(f'{media}/{clip.file}')}"],
    ]


def _envelope(name: str, course: Automation, points: Sequence[tuple[float, float]]) -> Block:
    shape = _SQUARE if course.shape == "hold" else _LINE
    return [
        name,
        "ACT 1 -1",
        "VIS 1 1 1",
        "LANEHEIGHT 0 0",
        "ARM 0",
        f"DEFSHAPE {shape} -1 -1",
        *(f"PT {_number(at)} {_number(value)} {shape}" for at, value in points),
    ]


def _tempi(session: Session) -> list[tuple[int, str]]:
    """Return from which tick on there are how many beats a minute."""
    return [(tick, _number(60e6 / length)) for tick, length in session.tempo.tempi]


def _tempo_envelope(session: Session) -> Block:
    tempo = session.tempo
    tempi, metres = dict(_tempi(session)), dict(tempo.metres)
    block: Block = ["TEMPOENVEX", "ACT 1 -1", "VIS 1 0 1", "LANEHEIGHT 0 0", "ARM 0", "DEFSHAPE 1 -1 -1"]
    bpm = tempi[0]
    for tick in sorted({*tempi, *metres}):
        bpm = tempi.get(tick, bpm)
        # A metre is beats a bar and, 65536 times, which note is a beat.
        metre = f" {(4 << 16) + metres[tick]} 0 1" if tick in metres else ""
        block.append(f"PT {_number(tempo.seconds(tick))} {bpm} {_SQUARE}{metre}")
    return block


def _number(value: float) -> str:
    return f"{value:.12g}" if value else "0"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    """Return a text in the quotes that it does not have itself."""
    text = _flat(text)
    mark = next((mark for mark in "\"'`" if mark not in text), "`")
    return f"{mark}{text.replace('`', chr(39)) if mark == '`' else text}{mark}"


def _lines(block: Block, depth: int) -> list[str]:
    indent = "  " * depth
    head, *rest = block
    lines = [f"{indent}<{head}"]
    for entry in rest:
        lines += [f"{indent}  {entry}"] if isinstance(entry, str) else _lines(entry, depth + 1)
    return [*lines, f"{indent}>"]
