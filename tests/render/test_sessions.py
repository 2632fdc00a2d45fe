"""Stems and sessions of a project with everything on its desk: they sound as the mix does."""

from __future__ import annotations

import numpy as np
import pytest
import rpp
import soundfile
import test_desk_steps
from test_desk_steps import COVER, RATE

from covermaker.audio.files import read
from covermaker.errors import CovermakerError, UsageError
from covermaker.graph.events import Note, nobody
from covermaker.graph.store import Store
from covermaker.mix.pan import pan_gains
from covermaker.project.load import load
from covermaker.render.exporting import PARTS, export, ordered
from covermaker.render.pipeline import build
from covermaker.render.tasks import render

STEP = 2.0**-23

project = test_desk_steps.project  # the fixture

# A group and a bus that other programs can mix themselves, and one bus that cannot.
LIVE = """schema = 1
title = "Live"
[song]
file = "song.wav"
tempo_bpm = 120.0
[stems]
separator = "provided"
files = { vocals = "vocals.wav", band = "band.wav", drums = "drums.wav" }
[[tracks]]
name = "lead"
source = "vocals"
gain_db = -2.0
pan = 0.3
sends = { direct = -6.0, echo = -9.0 }
pre_fader = ["direct"]
[[tracks]]
name = "band"
source = "band"
group = "music"
sends = { direct = -12.0 }
[[tracks]]
name = "drums"
source = "drums"
group = "music"
mute = true
[[groups]]
name = "music"
gain_db = -3.0
sends = { echo = -12.0 }
[[buses]]
name = "direct"
gain_db = -1.0
[[buses]]
name = "echo"
rack = [{ effect = "delay", time_ms = 250.0, feedback = 0.3, wet_db = 0.0, dry_db = -100.0 }]
[[automation]]
target = "tracks.lead.gain_db"
points = [[0.5, -12.0], [2.0, 0.0]]
[[automation]]
target = "tracks.band.sends.direct"
shape = "smooth"
points = [[1.0, -30.0], [4.0, 0.0]]
[[automation]]
target = "groups.music.pan"
points = [[0.0, -1.0], [4.0, 1.0]]
[[sections]]
name = "verse 1"
from_seconds = 0.0
[[sections]]
name = "chorus"
from_seconds = 3.0
"""


def exported(folder, *parts, cover=COVER, listener=nobody, **more):
    (folder / "cover.toml").write_text(cover, encoding="utf-8")
    request = {"project": str(folder), "parts": list(parts), "store": str(folder / "store"), **more}
    return export(request, listener)


def mix_of(folder):
    store = Store(folder / "store")
    entry = store.get(build(load(folder), store=store).mix.key)
    return read(entry.folder / "mix.wav").samples.astype(np.float64)


@pytest.mark.parametrize(
    "cover", [COVER, LIVE, LIVE.replace("[[tracks]]", '[mix]\ntail = "full"\n[[tracks]]', 1)]
)
def test_the_stems_sum_to_the_mix(project, cover):
    result = exported(project, "stems", cover=cover)
    found = {path.stem: soundfile.read(path)[0].T for path in (project / "out" / "mix stems").iterdir()}
    names = {"lead", "music", "echo", "room" if cover is COVER else "direct"}
    assert set(found) == names
    assert len(result["files"]) == 4
    mix = mix_of(project)
    assert np.abs(np.sum(list(found.values()), axis=0) - mix).max() <= STEP
    assert all(sound.shape == mix.shape for sound in found.values())
    assert result["reports"]["mix stems"]["error_steps"] <= 1.0


class Played:
    """A REAPER project, played: media, faders, envelopes, folders and sends, as REAPER documents them."""

    def __init__(self, file, frames):
        self.folder, self.frames = file.parent, frames
        self.times = np.arange(frames) / RATE
        self.tracks = rpp.loads(file.read_text(encoding="utf-8")).findall("./TRACK")

    def media(self, track):
        item = track.find("ITEM")
        if item is None or item.find("MUTE")[1] == "1":
            return np.zeros((2, self.frames))
        sound = read(self.folder / item.find("SOURCE").find("FILE")[1]).samples.astype(np.float64)
        length = round(float(item.find("LENGTH")[1]) * RATE)
        sound = sound[:, :length]
        fade = round(float(item.find("FADEOUT")[2]) * RATE)
        if fade:
            sound[:, -fade:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fade + 1) / fade)
        return np.pad(sound, ((0, 0), (0, self.frames - sound.shape[1])))

    def envelope(self, holder, fixed):
        if holder is None:
            return fixed
        times, values = zip(*((float(one[1]), float(one[2])) for one in holder.findall("PT")), strict=True)
        return np.interp(self.times, times, values)

    def mix(self):
        inputs = [self.media(track) for track in self.tracks]
        total = np.zeros((2, self.frames))
        parents, above = [], []
        for at, track in enumerate(self.tracks):
            kind, change = map(int, track.find("ISBUS")[1:])
            parents.append(above[-1] if above else None)
            above = [*above, at] if kind == 1 else above[: len(above) + change]
        children = [at for at, parent in enumerate(parents) if parent is not None]
        buses = [at for at, track in enumerate(self.tracks) if track.find("MUTESOLO")[3] == "1"]
        order = [
            *reversed(children),
            *(at for at in range(len(parents)) if at not in (*children, *buses)),
            *buses,
        ]
        for at in order:
            track = self.tracks[at]
            if track.find("MUTESOLO")[1] == "1":
                continue
            gain, pan = map(float, track.find("VOLPAN")[1:3])
            gain = self.envelope(track.find("VOLENV2"), gain)
            pans = self.envelope(track.find("PANENV2"), -pan)
            left, right = pan_gains(-pans, channels=2)
            placed = inputs[at] * np.array(
                [gain * left * np.ones(self.frames), gain * right * np.ones(self.frames)]
            )
            into = total if parents[at] is None else inputs[parents[at]]
            into += placed
            for to in buses:
                rows = list(self.tracks[to].children)
                for number, row in enumerate(rows):
                    if isinstance(row, list) and row[0] == "AUXRECV" and int(row[1]) == at and row[5] == "0":
                        after = rows[number + 1] if number + 1 < len(rows) else None
                        moving = after if getattr(after, "tag", "") == "AUXVOLENV" else None
                        level = self.envelope(moving, float(row[3]))
                        inputs[to] += level * (inputs[at] if row[2] == "3" else placed)
        return total


@pytest.mark.parametrize("cover", [COVER, LIVE])
def test_a_reaper_project_plays_the_mix(project, cover):
    result = exported(project, "reaper", cover=cover)
    file = project / "out" / "reaper" / f"{'Desk' if cover is COVER else 'Live'}.rpp"
    assert result["parts"]["reaper"][0] == str(file)
    mix = mix_of(project)
    played = Played(file, mix.shape[1]).mix()
    assert np.abs(mix).max() > 0.1
    # The lines that stand for curves of dB are within 0.05 dB of them.
    assert np.abs(played - mix).max() < 0.003
    assert np.sqrt(np.mean((played - mix) ** 2) / np.mean(mix**2)) < 0.003


def test_what_can_be_mixed_there_is_live_and_what_cannot_is_recorded(project):
    exported(project, "reaper", cover=LIVE)
    folder = project / "out" / "reaper"
    assert {path.name for path in (folder / "media").iterdir()} == {
        "lead.wav",
        "band.wav",
        "drums.wav",
        "echo.wav",
    }
    tracks = {one.find("NAME")[1]: one for one in Played(folder / "Live.rpp", 1).tracks}
    assert {row[5] for row in tracks["direct"].findall("AUXRECV")} == {"0"}
    assert {row[5] for row in tracks["echo"].findall("AUXRECV")} == {"1"}
    assert tracks["band"].find("ITEM").find("MUTE")[1] == "0"
    markers = [row[3] for row in rpp.loads((folder / "Live.rpp").read_text()).findall("./MARKER")]
    assert markers == ["verse 1", "", "chorus", ""]


def test_a_bus_that_hears_a_track_of_a_recorded_group_is_recorded_too(project):
    cover = LIVE.replace('name = "music"\n', 'name = "music"\nrack = [{ effect = "gain", gain_db = -1.0 }]\n')
    result = exported(project, "reaper", cover=cover)
    assert result["reports"]["bounces"]["bounced"] == [["group", "music"], ["bus", "direct"], ["bus", "echo"]]
    mix = mix_of(project)
    assert np.abs(Played(project / "out" / "reaper" / "Live.rpp", mix.shape[1]).mix() - mix).max() < 0.003


def test_stems_of_channels_that_are_gone_go_and_other_files_stay(project):
    exported(project, "stems", cover=LIVE)
    folder = project / "out" / "mix stems"
    (folder / "notes.txt").write_text("mine")
    (folder / "echo.wav").write_bytes(b"changed by hand")
    cover = LIVE.replace('name = "lead"', 'name = "voice"').replace("tracks.lead", "tracks.voice")
    exported(
        project,
        "stems",
        cover=cover.replace("sends = { direct = -6.0, echo = -9.0 }", "sends = { direct = 0.0 }"),
    )
    assert {path.name for path in folder.iterdir()} == {
        "voice.wav",
        "music.wav",
        "direct.wav",
        "echo.wav",
        "notes.txt",
    }


def test_nothing_is_made_twice_and_no_tag_says_of_a_song_that_a_voice_is_trained(project):
    from mutagen.wave import WAVE

    exported(project, "stems", "reaper", "dawproject")
    order = ordered({"project": str(project), "parts": ["stems"], "store": str(project / "store")})
    assert [step.name for step in order.targets if order.store.get(step.key) is None] == []
    tags = WAVE(project / "out" / "mix stems" / "lead.wav").tags
    assert str(tags["TIT2"]) == "Desk (lead)"
    assert not tags.getall("COMM")


def test_a_session_that_another_program_saved_is_not_replaced(project):
    exported(project, "reaper", "dawproject", cover=LIVE)
    file = project / "out" / "reaper" / "Live.rpp"
    file.write_text('<REAPER_PROJECT 0.1 "7.22/linux" 1\n>\n')
    with pytest.raises(UsageError, match=r"Live\.rpp' has been saved by another program since .*--force"):
        exported(project, "reaper", cover=LIVE)
    exported(project, "dawproject", cover=LIVE)
    exported(project, "reaper", cover=LIVE, force=True)
    assert "covermaker" in file.read_text()


def test_what_is_refused(project):
    with pytest.raises(UsageError, match=r"nothing to export is called 'raeper' .*'reaper'"):
        exported(project, "raeper")
    silent = COVER.replace('name = "lead"\n', 'name = "lead"\nmute = true\n').replace(
        'group = "music"\n', 'group = "music"\nmute = true\n'
    )
    with pytest.raises(CovermakerError, match="no channel is audible, so the mix has no stems"):
        exported(project, "stems", cover=silent)
    # A session of it is one all the same.
    notes: list[str] = []
    exported(
        project,
        "reaper",
        cover=silent,
        listener=lambda event: isinstance(event, Note) and notes.append(event.text),
    )
    assert any("no track is audible" in note for note in notes)
    assert set(PARTS) == {"stems", "reaper", "dawproject", "instrumental", "melody", "labels"}


def test_a_render_writes_the_stems_that_the_document_asks_for(project):
    (project / "cover.toml").write_text(LIVE + "[export]\nmix_stems = true\n", encoding="utf-8")
    request = {"project": str(project), "store": str(project / "store")}
    result = render(request, nobody)
    stems = project / "out" / "mix stems"
    assert {path.name for path in stems.iterdir()} == {"lead.wav", "music.wav", "direct.wav", "echo.wav"}
    assert str(stems / "lead.wav") in result["files"]
    (project / "cover.toml").write_text(LIVE, encoding="utf-8")
    render(request, nobody)
    assert not list(stems.iterdir())


def test_the_instrumental_is_the_master_without_the_singing(project):
    result = exported(project, "instrumental", cover=LIVE)
    file = project / "out" / "Live (instrumental).wav"
    assert result["files"] == [str(file)]
    found = soundfile.read(file)[0].T
    # The master of a cover whose singer is muted.
    (project / "cover.toml").write_text(LIVE.replace('name = "lead"\n', 'name = "lead"\nmute = true\n'))
    render({"project": str(project), "store": str(project / "store")}, nobody)
    np.testing.assert_array_equal(found, soundfile.read(project / "out" / "Live.wav")[0].T)
    alone = LIVE.replace('name = "lead"\n', 'name = "lead"\nsolo = true\n')
    with pytest.raises(UsageError, match=r"nothing but singing is heard"):
        exported(project, "instrumental", cover=alone)
    with pytest.raises(UsageError, match=r"nobody is heard singing"):
        exported(
            project, "instrumental", cover=LIVE.replace('name = "lead"\n', 'name = "lead"\nmute = true\n')
        )


def test_a_render_and_an_export_know_of_each_others_stems(project):
    drums = LIVE.replace('group = "music"\nmute = true\n', "")
    fewer = drums.replace('name = "drums"\n', 'name = "drums"\nmute = true\n')
    more = "[export]\nmix_stems = true\n"
    request = {"project": str(project), "store": str(project / "store")}
    stems = project / "out" / "mix stems"
    (project / "cover.toml").write_text(drums + more, encoding="utf-8")
    render(request, nobody)
    assert (stems / "drums.wav").is_file()
    exported(project, "stems", cover=fewer + more)
    assert not (stems / "drums.wav").exists(), "an export takes away what a render wrote"
    exported(project, "stems", cover=drums)
    assert (stems / "drums.wav").is_file()
    (project / "cover.toml").write_text(fewer + more, encoding="utf-8")
    render(request, nobody)
    assert not (stems / "drums.wav").exists(), "and the other way round"
    assert (stems / "lead.wav").is_file()


def test_clips_of_channels_that_are_gone_go_and_changed_ones_stay(project):
    exported(project, "reaper", cover=LIVE)
    media = project / "out" / "reaper" / "media"
    (media / "mine.wav").write_bytes(b"mine")
    renamed = LIVE.replace('name = "lead"', 'name = "voice"').replace("tracks.lead", "tracks.voice")
    renamed = renamed.replace('name = "drums"', 'name = "beat"')
    (media / "drums.wav").write_bytes(b"changed by hand")
    exported(project, "reaper", cover=renamed)
    assert {path.name for path in media.iterdir()} == {
        "voice.wav", "band.wav", "beat.wav", "echo.wav", "drums.wav", "mine.wav",
    }  # fmt: skip


def test_the_number_of_the_recording_is_on_the_cover_alone(project):
    from mutagen.wave import WAVE

    numbers = '[tags]\nisrc = "DE-A12-26-00001"\ntrack = "3/9"\nalbum = "Sea"\n'
    sung = LIVE.replace('source = "vocals"', 'source = "converted"')
    (project / "cover.toml").write_text(sung + numbers, encoding="utf-8")
    river = build(load(project))
    assert {"isrc", "track"} <= set(river.export.params["tags"])
    assert not {"isrc", "track"} & set(river.mix_stems.params["tags"])
    exported(project, "stems", "reaper", "instrumental", cover=LIVE + numbers)
    files = list((project / "out").rglob("*.wav"))
    assert len(files) == 9
    for file in files:
        assert not {"TSRC", "TRCK"} & set(WAVE(file).tags), file
    assert str(WAVE(project / "out" / "Live (instrumental).wav").tags["TALB"]) == "Sea"


def notes_from(project, *parts, cover, **more):
    notes: list[str] = []
    exported(
        project, *parts, cover=cover,
        listener=lambda event: isinstance(event, Note) and notes.append(event.text), **more,
    )  # fmt: skip
    return notes


def test_an_instrumental_does_not_say_that_its_singing_is_muted(project):
    notes = notes_from(project, "instrumental", cover=LIVE)
    assert not any("'lead'" in note for note in notes)
    assert "track 'drums' is muted" in notes, "that is the project's"


def test_a_plugin_that_is_missing_is_told_or_refused(project):
    gone = '{ effect = "vst3", plugin = "Not There" }'
    cover = LIVE.replace('source = "band"\n', f'source = "band"\nrack = [{gone}]\n')
    (note,) = [note for note in notes_from(project, "stems", cover=cover) if "Not There" in note]
    assert "track 'band'" in note
    assert not [note for note in notes_from(project, "labels", cover=cover) if "Not There" in note]
    with pytest.raises(CovermakerError, match=r"tracks\[1\]\.rack.*Not There"):
        exported(project, "stems", cover=cover, strict=True)
