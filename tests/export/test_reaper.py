"""REAPER projects: a parser that is not ours reads back what the session says."""

from __future__ import annotations

import math

import pytest
import rpp
import session_made

from covermaker.export.reaper import is_ours, write_reaper
from covermaker.export.session import gains, values


@pytest.fixture
def session(tmp_path):
    return session_made.session(tmp_path)


@pytest.fixture
def read_back(session, tmp_path):
    file = tmp_path / "it.rpp"
    write_reaper(session, file, media="media")
    return rpp.loads(file.read_text(encoding="utf-8"))


def tracks(project):
    return project.findall("./TRACK")


def track(project, name, number=0):
    return [one for one in tracks(project) if one.find("NAME")[1] == name][number]


def points(track, kind):
    return [(float(at), float(value), int(shape)) for _, at, value, shape in track.find(kind).findall("PT")]


def test_channels_stand_in_folders_and_buses_come_last(read_back):
    names = [one.find("NAME")[1] for one in tracks(read_back)]
    assert names == ["lead", "all", "pad", "rhythm", "drums", "bass", "empty", "hall", "lead", "dry"]
    depth, depths = 0, []
    for one in tracks(read_back):
        depths.append(depth)
        kind, change = map(int, one.find("ISBUS")[1:])
        depth += change
        assert (kind, change) in {(0, 0), (1, 1), (2, -1), (2, -2)}
    assert depths == [0, 0, 1, 1, 2, 2, 0, 0, 0, 0]
    assert depth == 0


def test_faders_pans_mutes_and_solos(session, read_back):
    for channel, one in zip(session.in_order(), tracks(read_back), strict=True):
        gain, pan = map(float, one.find("VOLPAN")[1:3])
        assert 20 * math.log10(gain) == pytest.approx(channel.gain_db, abs=1e-6)
        assert pan == channel.pan
        mute, solo, spared = map(int, one.find("MUTESOLO")[1:])
        assert (mute, bool(solo), spared) == (channel.mute, channel.solo, channel.kind == "bus")


def test_sends_come_from_the_right_track_with_level_and_place(session, read_back):
    ordered = session.in_order()
    found = []
    for channel, one in zip(ordered, tracks(read_back), strict=True):
        for _, source, mode, gain, _, mute, *_ in one.findall("AUXRECV"):
            sender = ordered[int(source)]
            level = round(20 * math.log10(float(gain)), 6)
            found.append((sender.kind, sender.name, channel.name, level, int(mode), int(mute)))
    assert sorted(found) == sorted(
        [
            ("track", "lead", "hall", -12.0, 0, 1),
            ("track", "lead", "dry", -3.0, 3, 0),
            ("group", "all", "hall", -20.0, 0, 1),
            ("bus", "lead", "dry", 0.0, 0, 0),
        ]
    )


def test_what_moves(session, read_back):
    lead, moves = track(read_back, "lead"), session.channels[0].moves
    assert lead.find("AUTOMODE")[1] == "1"
    for (at, value, shape), (seconds, gain) in zip(
        points(lead, "VOLENV2"), gains(moves["gain_db"]), strict=True
    ):
        assert (at, value, shape) == (pytest.approx(seconds), pytest.approx(gain), 0)
    # Left is positive in an envelope.
    for (at, value, _), (seconds, pan) in zip(points(lead, "PANENV2"), values(moves["pan"]), strict=True):
        assert (at, value) == (pytest.approx(seconds), pytest.approx(-pan, abs=1e-9))
    assert points(lead, "MUTEENV") == [(0.5, 0.0, 1), (0.75, 1.0, 1)]
    hall = track(read_back, "hall")
    assert points(hall, "AUXVOLENV")[0] == (0.0, pytest.approx(0.01), 0)
    assert track(read_back, "bass").find("AUTOMODE")[1] == "0"


def test_clips_are_found_beside_it_and_those_in_a_recording_are_off(read_back):
    items = {one.find("NAME")[1]: one.find("ITEM") for one in tracks(read_back)[:-2]}
    source = items["lead"].find("SOURCE")
    assert source.attrib == ["WAVE"]
    assert source.find("FILE")[1] == "media/lead.wav"
    assert [float(items["lead"].find(key)[1]) for key in ("POSITION", "LENGTH")] == [0.0, 2.0]
    assert float(items["lead"].find("FADEOUT")[2]) == 0.01
    muted = {name: int(item.find("MUTE")[1]) for name, item in items.items() if item is not None}
    assert muted == {"lead": 0, "pad": 0, "rhythm": 0, "drums": 1, "bass": 1, "hall": 0}
    assert items["all"] is None


def test_tempo_parts_and_notes(read_back):
    assert read_back.find("TEMPO")[1:] == ["120", "3", "4"]
    assert read_back.find("TEMPOENVEX").findall("PT") == [
        ["PT", "0", "120", "1", str(65536 * 4 + 3), "0", "1"],
        ["PT", "1", "125", "1"],
    ]
    markers = [(one[1], float(one[2]), one[3]) for one in read_back.findall("./MARKER")]
    assert markers == [
        ("1", 0.0, "verse 1"), ("1", 1.0, ""), ("2", 1.0, 'the "big" chorus'), ("2", 2.0, "")
    ]  # fmt: skip
    assert [one.strip() for one in read_back.find("NOTES").children] == [
        "|A note.", "|The master is not in it."
    ]  # fmt: skip


def test_the_same_session_is_the_same_file_and_one_saved_by_reaper_is_told(session, tmp_path):
    first, second = tmp_path / "a.rpp", tmp_path / "b.rpp"
    write_reaper(session, first, media="media")
    write_reaper(session, second, media="media")
    assert first.read_bytes() == second.read_bytes()
    assert is_ours(first)
    first.write_text(first.read_text().replace("7.0/covermaker", "7.22/linux-x86_64"))
    assert not is_ours(first)
