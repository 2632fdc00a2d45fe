"""Sessions as DAWproject 1.0: a zip of ``project.xml``, ``metadata.xml`` and the audio.

Times are seconds. Every channel goes to a master; a group is a submix with its tracks inside, a bus an effect channel.
The effects that a recording went through are listed as devices that are off, where the format has a device of that
kind: so they can be seen, and turned on over a dry recording.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from covermaker import __version__
from covermaker.disk import replacing
from covermaker.export.devices import add_devices
from covermaker.export.session import gains, values
from covermaker.progress import Progress, silent
from covermaker.units import db_to_gain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from covermaker.effects.automation import Automation
    from covermaker.export.session import Channel, Clip, Session

SUFFIX = ".dawproject"
_NAME = "Covermaker"
_LOUDEST = 16.0  # 24 dB, where our faders end
_ROLES = {"track": "regular", "group": "submix", "bus": "effect"}

# Element of the metadata, by our tag.
_METADATA = (
    ("Title", "title"), ("Artist", "artist"), ("Album", "album"), ("OriginalArtist", "original_artist"),
    ("Composer", "composer"), ("Year", "date"), ("Genre", "genre"), ("Copyright", "copyright"),
)  # fmt: skip


def write_dawproject(session: Session, file: Path, *, progress: Progress = silent) -> None:
    """Write a session as a DAWproject, its audio inside.

    Parameters
    ----------
    file : Path
        ``.dawproject``; replaced whole or not at all.

    Raises
    ------
    ResourceError
        When the disk refuses.
    """
    clips = [channel.clip for channel in session.channels if channel.clip]
    with replacing(file) as temporary, ZipFile(temporary, "w") as archive:
        archive.comment = _NAME.encode()  # by which `is_ours` knows it
        for name, root in (
            ("project.xml", project(session)),
            ("metadata.xml", metadata(session)),
        ):
            archive.writestr(_entry(name, ZIP_DEFLATED), xml(root))
        for number, clip in enumerate(clips, start=1):
            entry = _entry(f"audio/{clip.file}", ZIP_STORED)
            entry.file_size = clip.source.stat().st_size
            with clip.source.open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            progress(number / len(clips))


def is_ours(file: Path) -> bool:
    """Tell whether a DAWproject was written here, and by no other program since."""
    try:
        with ZipFile(file) as archive:
            return archive.comment == _NAME.encode()
    except BadZipFile:
        return False


def xml(root: Element) -> bytes:
    """Return a document as UTF-8."""
    indent(root)
    text: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return text


def metadata(session: Session) -> Element:
    """Return ``metadata.xml``."""
    root = Element("MetaData")
    for name, tag in _METADATA:
        if session.tags.get(tag):
            SubElement(root, name).text = _clean(session.tags[tag])
    comment = [*([session.tags["comment"]] if session.tags.get("comment") else []), *session.notes]
    SubElement(root, "Comment").text = _clean("\n".join(comment))
    return root


def project(session: Session) -> Element:
    """Return ``project.xml``."""
    root = Element("Project", version="1.0")
    SubElement(root, "Application", name=_NAME, version=__version__)
    transport = SubElement(root, "Transport")
    tempo, metres = session.tempo, session.tempo.metres
    bpm = [(tempo.seconds(tick), 60e6 / length) for tick, length in tempo.tempi]
    _parameter(transport, "Tempo", "tempo", bpm[0][1], "bpm", 20.0, 400.0)
    SubElement(transport, "TimeSignature", id="metre", numerator=str(metres[0][1]), denominator="4")
    structure = SubElement(root, "Structure")
    for channel in session.inside(""):
        _track(structure, session, channel)
    _master(structure, session)
    arrangement = SubElement(root, "Arrangement", id="arrangement")
    lanes = SubElement(arrangement, "Lanes", id="lanes", timeUnit="seconds")
    for channel in session.in_order():
        _lanes(lanes, session, channel)
    if session.sections:
        markers = SubElement(arrangement, "Markers", id="markers", timeUnit="seconds")
        for begin, _, name in session.sections:
            SubElement(markers, "Marker", time=_number(begin), name=_clean(name))
    if len(bpm) > 1:
        points = SubElement(arrangement, "TempoAutomation", id="tempi", timeUnit="seconds", unit="bpm")
        SubElement(points, "Target", parameter="tempo")
        _points(points, bpm, holds=True)
    if len(metres) > 1:
        points = SubElement(arrangement, "TimeSignatureAutomation", id="metres", timeUnit="seconds")
        SubElement(points, "Target", parameter="metre")
        for tick, per_bar in metres:
            time = _number(tempo.seconds(tick))
            SubElement(points, "TimeSignaturePoint", time=time, numerator=str(per_bar), denominator="4")
    return root


def _track(parent: Element, session: Session, channel: Channel) -> None:
    identity = _id(channel)
    inside = session.inside(channel.name) if channel.kind == "group" else []
    content = ["audio"] if channel.clip else []
    track = SubElement(
        parent, "Track", id=identity, name=channel.name, loaded="true",
        contentType=" ".join([*content, *(["tracks"] if inside else [])]) or "audio",
    )  # fmt: skip
    if channel.rack:
        track.set("comment", _clean(f"recorded behind: {channel.effects()}"))
    into = f"group.{channel.group}" if channel.group else "master"
    strip = SubElement(
        track, "Channel", id=f"{identity}.channel", role=_ROLES[channel.kind], audioChannels="2",
        solo=_bool(channel.solo), destination=f"{into}.channel",
    )  # fmt: skip
    add_devices(strip, channel.rack, identity=identity)
    SubElement(strip, "Mute", id=f"{identity}.mute", name="Mute", value=_bool(channel.mute))
    _parameter(strip, "Pan", f"{identity}.pan", (channel.pan + 1.0) / 2.0, "normalized", 0.0, 1.0)
    if channel.sends:
        sends = SubElement(strip, "Sends")
        for send in channel.sends:
            place = SubElement(
                sends, "Send", id=f"{identity}.to.{send.bus}", name=send.bus,
                destination=f"bus.{send.bus}.channel", type="pre" if send.pre_fader else "post",
            )  # fmt: skip
            SubElement(place, "Enable", id=f"{identity}.to.{send.bus}.on", value=_bool(send.on))
            gain = db_to_gain(send.gain_db)
            _parameter(place, "Volume", f"{identity}.to.{send.bus}.gain", gain, "linear", 0.0, _LOUDEST)
    _parameter(strip, "Volume", f"{identity}.gain", channel.gain, "linear", 0.0, _LOUDEST)
    for one in inside:
        _track(track, session, one)


def _master(parent: Element, session: Session) -> None:
    track = SubElement(parent, "Track", id="master", name="Master", contentType="audio", loaded="true")
    track.set("comment", _clean(" ".join(session.notes)))
    strip = SubElement(track, "Channel", id="master.channel", role="master", audioChannels="2", solo="false")
    SubElement(strip, "Mute", id="master.mute", name="Mute", value="false")
    _parameter(strip, "Pan", "master.pan", 0.5, "normalized", 0.0, 1.0)
    _parameter(strip, "Volume", "master.gain", 1.0, "linear", 0.0, _LOUDEST)


def _lanes(parent: Element, session: Session, channel: Channel) -> None:
    identity = _id(channel)
    lanes = SubElement(parent, "Lanes", id=f"{identity}.lanes", track=identity)
    clips = SubElement(lanes, "Clips", id=f"{identity}.clips")
    if channel.clip:
        _clip(clips, session, channel, channel.clip)
    moves = channel.moves
    if "gain_db" in moves:
        _automation(lanes, f"{identity}.gain", moves["gain_db"], gains(moves["gain_db"]), unit="linear")
    if "pan" in moves:
        pans = [(at, (pan + 1.0) / 2.0) for at, pan in values(moves["pan"])]
        _automation(lanes, f"{identity}.pan", moves["pan"], pans, unit="normalized")
    if "mute" in moves:
        points = SubElement(lanes, "Points", id=f"{identity}.mute-points")
        SubElement(points, "Target", parameter=f"{identity}.mute")
        for at, muted in values(moves["mute"]):
            SubElement(points, "BoolPoint", time=_number(at), value=_bool(muted > 0.5))
    for send in channel.sends:
        if send.course:
            target = f"{identity}.to.{send.bus}.gain"
            _automation(lanes, target, send.course, gains(send.course), unit="linear")


def _clip(parent: Element, session: Session, channel: Channel, clip: Clip) -> None:
    played = min(clip.seconds, session.seconds)
    place = SubElement(
        parent, "Clip", time="0", duration=_number(played), contentTimeUnit="seconds", playStart="0",
        fadeTimeUnit="seconds", fadeInTime="0", fadeOutTime=_number(clip.fade_seconds),
        enable=_bool(clip.sounds), name=channel.name,
    )  # fmt: skip
    audio = SubElement(
        place, "Audio", id=f"{_id(channel)}.audio", channels=str(clip.channels), sampleRate=str(clip.sample_rate),
        duration=_number(clip.seconds),
    )  # fmt: skip
    SubElement(audio, "File", path=f"audio/{clip.file}")


def _automation(
    lanes: Element, target: str, course: Automation, points: Sequence[tuple[float, float]], *, unit: str
) -> None:
    lane = SubElement(lanes, "Points", id=f"{target}.points", unit=unit)
    SubElement(lane, "Target", parameter=target)
    _points(lane, points, holds=course.shape == "hold")


def _points(lane: Element, points: Sequence[tuple[float, float]], *, holds: bool) -> None:
    joined = "hold" if holds else "linear"
    for at, value in points:
        SubElement(lane, "RealPoint", time=_number(at), value=_number(value), interpolation=joined)


def _parameter(
    parent: Element, name: str, identity: str, value: float, unit: str, low: float, high: float
) -> None:
    SubElement(
        parent, name, id=identity, name=name, unit=unit, value=_number(value), min=_number(low), max=_number(high)
    )  # fmt: skip


def _id(channel: Channel) -> str:
    # With dots, which no name has: no two identifiers can be alike.
    return f"{channel.kind}.{channel.name}"


def _entry(name: str, method: int) -> ZipInfo:
    entry = ZipInfo(name)  # of no day: the same session is the same file
    entry.compress_type = method
    entry.external_attr = 0o644 << 16
    return entry


def _bool(value: Any) -> str:
    return "true" if value else "false"


def _number(value: float) -> str:
    return f"{value:.12g}"


def _clean(text: str) -> str:
    """Return a text without what XML cannot hold."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(char for char in text if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff"))
