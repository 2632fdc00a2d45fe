"""DAWprojects: valid by the format's own schemas, and saying what the session says."""

from __future__ import annotations

import io
import math
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import pytest
import session_made
import soundfile
from lxml import etree

from covermaker.export.dawproject import is_ours, write_dawproject
from covermaker.export.session import gains, values

SCHEMAS = Path(__file__).parent / "dawproject_schema"


@pytest.fixture
def session(tmp_path):
    return session_made.session(tmp_path)


@pytest.fixture
def archive(session, tmp_path):
    file = tmp_path / "it.dawproject"
    write_dawproject(session, file)
    with ZipFile(file) as opened:
        yield opened


@pytest.fixture
def project(archive):
    return etree.fromstring(archive.read("project.xml"))


def by_id(project, identity):
    (found,) = project.xpath(f"//*[@id='{identity}']")
    return found


@pytest.mark.parametrize(
    ("name", "schema"), [("project.xml", "Project.xsd"), ("metadata.xml", "MetaData.xsd")]
)
def test_the_schemas_accept_it(archive, name, schema):
    found = etree.XMLSchema(etree.parse(SCHEMAS / schema))
    found.assertValid(etree.fromstring(archive.read(name)))


def test_channels_stand_in_their_groups_and_go_where_they_go(session, project):
    for channel in session.channels:
        identity = f"{channel.kind}.{channel.name}"
        track = by_id(project, identity)
        assert track.get("name") == channel.name
        above = track.getparent()
        assert above.get("id") == (f"group.{channel.group}" if channel.group else None)
        strip = by_id(project, f"{identity}.channel")
        into = by_id(project, strip.get("destination"))
        assert into.getparent().get("id") == (f"group.{channel.group}" if channel.group else "master")
        assert strip.get("role") == {"track": "regular", "group": "submix", "bus": "effect"}[channel.kind]
        assert strip.get("solo") == str(channel.solo).lower()
        assert by_id(project, f"{identity}.mute").get("value") == str(channel.mute).lower()
        gain, pan = (float(by_id(project, f"{identity}.{key}").get("value")) for key in ("gain", "pan"))
        assert 20 * math.log10(gain) == pytest.approx(channel.gain_db, abs=1e-6)
        assert 2 * pan - 1 == pytest.approx(channel.pan)


def test_sends(project):
    found = [
        (
            send.getparent().getparent().getparent().get("id"), send.get("destination"), send.get("type"),
            send.find("Enable").get("value"), round(20 * math.log10(float(send.find("Volume").get("value"))), 6),
        )
        for send in project.iter("Send")
    ]  # fmt: skip
    assert found == [
        ("track.lead", "bus.hall.channel", "post", "false", -12.0),
        ("track.lead", "bus.dry.channel", "pre", "true", -3.0),
        ("group.all", "bus.hall.channel", "post", "false", -20.0),
        ("bus.lead", "bus.dry.channel", "post", "true", 0.0),
    ]


def test_what_moves(session, project):
    moves = session.channels[0].moves

    def lane(target):
        (found,) = project.xpath(f"//Points[Target/@parameter='{target}']")
        return [tuple(map(float, (one.get("time"), one.get("value")))) for one in found.iter("RealPoint")]

    np.testing.assert_allclose(lane("track.lead.gain"), gains(moves["gain_db"]))
    np.testing.assert_allclose(
        lane("track.lead.pan"), [(at, (pan + 1) / 2) for at, pan in values(moves["pan"])], atol=1e-12
    )
    assert lane("track.lead.to.hall.gain")[-1] == (1.5, pytest.approx(10 ** (-6 / 20)))
    (mutes,) = project.xpath("//Points[Target/@parameter='track.lead.mute']")
    assert [(one.get("time"), one.get("value")) for one in mutes.iter("BoolPoint")] == [
        ("0.5", "true"), ("0.75", "false")
    ]  # fmt: skip


def test_clips_and_their_audio(archive, project):
    clips = {clip.get("name"): clip for clip in project.iter("Clip")}
    assert {name for name, clip in clips.items() if clip.get("enable") == "false"} == {"drums", "bass"}
    for clip in clips.values():
        audio = clip.find("Audio")
        path = audio.find("File").get("path")
        sound, rate = soundfile.read(io.BytesIO(archive.read(path)))
        assert archive.getinfo(path).compress_type == ZIP_STORED
        assert (rate, len(sound) / rate) == (int(audio.get("sampleRate")), float(audio.get("duration")))
        assert float(clip.get("duration")) == session_made.SECONDS
    assert clips["lead"].get("fadeOutTime") == "0.01"


def test_effects_that_the_format_knows_are_there_and_off(project):
    (devices,) = by_id(project, "track.lead.channel").findall("Devices")
    assert [one.tag for one in devices] == ["Equalizer", "NoiseGate", "Compressor", "Equalizer", "Limiter"]
    assert {one.find("Enabled").get("value") for one in devices} == {"false"}
    compressor = {one.tag: float(one.get("value")) for one in devices[2] if one.get("unit")}
    assert compressor == {
        "Attack": 0.005, "OutputGain": 2.0, "Ratio": 4.0, "Release": 0.12, "Threshold": -21.0
    }  # fmt: skip
    bands = [(band.get("type"), float(band.find("Freq").get("value"))) for band in devices[3].iter("Band")]
    assert bands == [
        ("highPass", 60.0), ("lowShelf", 120.0), ("highShelf", 10000.0), ("lowPass", 16000.0)
    ]  # fmt: skip
    assert (devices[0][1].get("type"), devices[0][1].get("order")) == ("highPass", "4")
    assert "reverb (off)" in by_id(project, "track.lead").get("comment")


def test_tempo_parts_and_metadata(archive, project):
    assert float(project.find("Transport/Tempo").get("value")) == 120.0
    assert project.find("Transport/TimeSignature").get("numerator") == "3"
    tempi = project.find("Arrangement/TempoAutomation")
    assert [(one.get("time"), one.get("value")) for one in tempi.iter("RealPoint")] == [
        ("0", "120"),
        ("1", "125"),
    ]
    markers = [(one.get("time"), one.get("name")) for one in project.iter("Marker")]
    assert markers == [("0", "verse 1"), ("1", 'the "big" chorus')]
    told = etree.fromstring(archive.read("metadata.xml"))
    assert told.findtext("Title") == session_made.TITLE
    assert told.findtext("Artist") == "Nobody"
    assert told.findtext("Year") == "2024"
    assert told.findtext("Comment").startswith("AI voice: demo\nA note.")


def test_the_same_session_is_the_same_file_and_one_of_another_program_is_told(session, tmp_path):
    first, second, other = (tmp_path / f"{name}.dawproject" for name in "abc")
    write_dawproject(session, first)
    write_dawproject(session, second)
    assert first.read_bytes() == second.read_bytes()
    assert is_ours(first)
    with ZipFile(other, "w") as archive:
        archive.writestr("project.xml", "<Project/>")
    assert not is_ours(other)
    other.write_bytes(b"no zip")
    assert not is_ours(other)
