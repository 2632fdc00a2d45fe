"""A desk with everything on it, rendered by the steps and heard in the preview."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from covermaker.audio.files import read
from covermaker.documents.document import DocumentError
from covermaker.graph.events import nobody
from covermaker.graph.run import run
from covermaker.graph.store import Store
from covermaker.project.load import load
from covermaker.render.pipeline import build
from covermaker.render.preview import Previewer
from covermaker.render.previewing import Wish
from covermaker.render.steps import Region

RATE, SECONDS = 44100, 6.0
COVER = """schema = 1
title = "Desk"
[song]
file = "song.wav"
tempo_bpm = 150.0
[stems]
separator = "provided"
files = { vocals = "vocals.wav", band = "band.wav", drums = "drums.wav" }
[[tracks]]
name = "lead"
source = "vocals"
sends = { echo = -12.0, room = -9.0 }
pre_fader = ["room"]
rack_lufs = "off"
rack = [{ effect = "compressor", threshold_db = -30.0, ratio = 4.0, lookahead_ms = 5.0 }]
[[tracks]]
name = "band"
source = "band"
group = "music"
rack = [{ effect = "compressor", sidechain = "lead", threshold_db = -40.0, ratio = 8.0, attack_ms = 1.0 }]
[[tracks]]
name = "drums"
source = "drums"
group = "music"
pan = -0.3
[[groups]]
name = "music"
gain_db = -2.0
rack = [{ effect = "gate", sidechain = "drums", threshold_db = -60.0, lookahead_ms = 3.0 }]
[[buses]]
name = "echo"
sends = { room = -6.0 }
rack = [{ effect = "delay", sync = "1/8", feedback = 0.3, wet_db = 0.0, dry_db = -100.0 }]
[[buses]]
name = "room"
pan = 0.2
rack = [{ effect = "high_pass", cutoff_hz = 200.0 }]
[[automation]]
target = "tracks.lead.gain_db"
points = [[0.5, -12.0], [2.0, 0.0]]
[[automation]]
target = "tracks.band.rack.compressor.threshold_db"
points = [[1.0, -40.0], ["0:03", -10.0]]
[[automation]]
target = "groups.music.pan"
shape = "smooth"
points = [[0.0, -1.0], [4.0, 1.0]]
[[automation]]
target = "buses.echo.rack.delay.bypass"
points = [[2.5, true], [3.5, false]]
"""


@pytest.fixture
def project(tmp_path):
    times = np.arange(round(SECONDS * RATE)) / RATE
    rng = np.random.default_rng(3)
    pulse = np.sin(2 * np.pi * 1.5 * times) > 0
    sounds = {
        "vocals": 0.3 * np.sin(2 * np.pi * 220 * times) * pulse,
        "band": 0.1 * rng.standard_normal(len(times)),
        "drums": 0.3 * rng.standard_normal(len(times)) * (times % 0.4 < 0.05),
    }
    sounds["song"] = sum(sounds.values())
    for name, sound in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", np.stack([sound, sound], axis=1), RATE, subtype="FLOAT")
    return tmp_path


def mixed(folder, cover=COVER, *, region=None, store=None):
    (folder / "cover.toml").write_text(cover, encoding="utf-8")
    store = store or Store(folder / "store")
    river = build(load(folder), region=region, store=store)
    (entry,) = run(store, [river.mix], listener=nobody)
    return read(entry.folder / "mix.wav").samples, store


def test_everything_together_is_made_and_heard_alike(project):
    whole, store = mixed(project)
    assert whole.shape == (2, round(SECONDS * RATE))
    made = Previewer(project, store).make(Wish(1, 1.5, 2.0))
    heard = read(Path(made.file)).samples
    fade = RATE // 50
    span = slice(round(1.5 * RATE), round(3.5 * RATE) - fade)
    # The preview begins a second before: what rings from earlier is missing, and the state of the compressors is as
    # it is after a second.
    difference = heard[:, :-fade] - whole[:, span]
    assert np.abs(difference).max() < 2e-3
    assert np.abs(whole[:, span]).max() > 0.1
    stretch, _ = mixed(project, region=Region(1.5, 2.0), store=store)
    assert stretch.shape[1] == 2 * RATE
    # Its stream begins elsewhere on the grid on which compressors decide: alike, not equal.
    apart = stretch[:, RATE:-fade] - whole[:, span][:, RATE:]
    assert np.sqrt(np.mean(apart**2) / np.mean(whole[:, span] ** 2)) < 0.02


def level_db(sound, begin, end):
    return 10 * np.log10(np.mean(sound[:, round(begin * RATE) : round(end * RATE)] ** 2))


def test_the_band_is_ducked_under_the_voice(project):
    cover = COVER[: COVER.index("[[buses]]")].replace("sends = { echo = -12.0, room = -9.0 }", "mute = true")
    cover = cover.replace('pre_fader = ["room"]\n', "").replace(
        'source = "drums"\n', 'source = "drums"\nmute = true\n'
    )
    cover = cover.replace('sidechain = "drums", ', "")
    found, store = mixed(project, cover)
    # The voice sounds for a third of a second and pauses as long.
    assert level_db(found, 0.75, 0.95) < level_db(found, 1.15, 1.3) - 6
    without, _ = mixed(project, cover.replace('sidechain = "lead", ', ""), store=store)
    assert abs(level_db(without, 0.75, 0.95) - level_db(without, 1.15, 1.3)) < 1


def test_a_track_that_is_listened_to_is_part_of_the_key_and_its_name_is_not(project):
    (project / "cover.toml").write_text(COVER, encoding="utf-8")
    before = build(load(project)).racks["band"].key
    (project / "cover.toml").write_text(COVER.replace("ratio = 4.0", "ratio = 5.0"), encoding="utf-8")
    assert build(load(project)).racks["band"].key != before
    renamed = COVER.replace('"lead"', '"voice"').replace("tracks.lead", "tracks.voice")
    (project / "cover.toml").write_text(renamed, encoding="utf-8")
    river = build(load(project))
    assert river.racks["band"].key == before
    # A fader is no part of what is listened to.
    (project / "cover.toml").write_text(COVER.replace("pan = -0.3", "pan = 0.3"), encoding="utf-8")
    assert build(load(project)).racks["band"].key == before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'group = "music"',
            'group = "musik"',
            r"cover.toml:\d+: tracks\[1\].group = 'musik' is no group .*'music'",
        ),
        (
            'sidechain = "lead"',
            'sidechain = "laed"',
            r"tracks\[1\].rack\[0\].sidechain = 'laed' is no track .*'lead'",
        ),
        ('sidechain = "lead"', 'sidechain = "band"', "is this channel itself"),
        ('sidechain = "lead"', 'sidechain = "music"', "is a group: a track's rack listens to tracks"),
        (
            'effect = "high_pass"',
            'effect = "high_pass", sidechain = "lead"',
            "high_pass listens to nothing but its own",
        ),
        ('pre_fader = ["room"]', 'pre_fader = ["hall"]', "'hall' is no send of this channel"),
        ("sends = { room = -6.0 }", "sends = { room = -6.0, echo = 0.0 }", "round in a circle"),
        ('name = "music"\ngain', 'name = "band"\ngain', "= 'band' is the name of a track"),
        (
            "tracks.lead.gain_db",
            "tracks.leda.gain_db",
            r"automation\[0\].target: the project has no track 'leda'",
        ),
        ("tracks.lead.gain_db", "tracks.lead.gian_db", r"'gian_db' cannot move .*gain_db"),
        ("tracks.lead.gain_db", "tracks.lead.sends.hall", "there is no send to 'hall'"),
        ("tracks.lead.gain_db", "title", "cannot move"),
        ("buses.echo.rack.delay.bypass", "groups.music.pan", r"automation already \(see automation\[2\]\)"),
        (
            "[0.5, -12.0], [2.0, 0.0]",
            "[2.5, -12.0], [2.0, 0.0]",
            r"points\[1\] is at 2 s, not behind the one before",
        ),
        (
            "[0.5, -12.0], [2.0, 0.0]",
            "[0.5, -12.0], [60.0, 0.0]",
            r"points\[1\] is at 60 s, behind the end .*0:06",
        ),
        ("[0.5, -12.0], [2.0, 0.0]", "[0.5, -120.0]", "= -120 must be -96 to 24"),
        ("[0.5, -12.0], [2.0, 0.0]", "[0.5, true]", "= true must be -96 to 24"),
        ("[2.5, true], [3.5, false]", "[2.5, 0.5]", "a bypass is true or false"),
        ("compressor.threshold_db", "compressor.treshold_db", "has no parameter 'treshold_db'.*threshold_db"),
        ('[1.0, -40.0], ["0:03", -10.0]', "[1.0, 40.0]", r"points\[0\] = 40.0 is above 0"),
    ],
)
def test_what_is_refused_of_a_desk(project, old, new, words):
    assert old in COVER
    (project / "cover.toml").write_text(COVER.replace(old, new), encoding="utf-8")
    with pytest.raises(DocumentError, match=words):
        build(load(project))


def test_side_chains_in_a_circle_are_refused(project):
    cover = COVER.replace("lookahead_ms = 5.0", 'lookahead_ms = 5.0, sidechain = "band"')
    (project / "cover.toml").write_text(cover, encoding="utf-8")
    with pytest.raises(DocumentError, match=r"side chains go round in a circle: lead -> band -> lead"):
        build(load(project))


def test_a_song_without_a_tempo_leaves_synced_effects_at_their_own_time(project):
    rate = RATE
    silence = np.zeros((round(SECONDS * rate), 2), np.float32)
    silence[1000] = 0.5
    soundfile.write(project / "song.wav", silence, rate, subtype="FLOAT")
    cover = COVER.replace("tempo_bpm = 150.0\n", "").replace(
        'sync = "1/8",', 'sync = "1/8", time_ms = 250.0,'
    )
    (project / "cover.toml").write_text(cover, encoding="utf-8")
    store = Store(project / "store")
    (entry,) = run(store, [build(load(project), store=store).mix], listener=nobody)
    assert any(
        "no tempo was found in the song: delay at its own time" in note
        for note in entry.meta["report"]["notes"]
    )
    told, _ = mixed(
        project, cover.replace('file = "song.wav"\n', 'file = "song.wav"\ntempo_bpm = 120.0\n'), store=store
    )
    np.testing.assert_array_equal(told, read(entry.folder / "mix.wav").samples)  # an eighth at 120 is 250 ms


def test_a_group_that_listens_is_measured_as_it_is_mixed(project):
    """Its rack alone, on the stretch: the gate opens with the drums, which it listens to."""
    cover = COVER.replace(
        "threshold_db = -60.0, lookahead_ms = 3.0", "threshold_db = -20.0, range_db = 60.0, hold_ms = 5.0"
    )
    _, store = mixed(project, cover)
    made = Previewer(project, store).make(Wish(1, 1.5, 2.0, "groups.music.rack"))
    (reduction,) = made.reductions
    assert reduction["effect"] == "gate"
    assert reduction["maximum_db"] > 20
    heard = read(Path(made.file)).samples

    def level(begin, end):
        return 20 * np.log10(np.sqrt(np.mean(heard[:, round(begin * RATE) : round(end * RATE)] ** 2)))

    assert level(0.11, 0.14) > level(0.4, 0.49) + 15  # a drum at 1.6 s, none at 1.9 s


def test_every_step_is_listed_once(project):
    """Also the level of a track that is listened to by another one and has a rack itself."""
    cover = COVER.replace('rack_lufs = "off"\n', "")
    (project / "cover.toml").write_text(cover, encoding="utf-8")
    names = [step.name for step in build(load(project)).steps()]
    assert "level: lead" in names
    assert len(names) == len(set(names))
