"""Who sings when, in which key, and with what voice: what a project file says about it is what is heard."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from driving import covermaker, render

from covermaker.audio.files import read
from covermaker.graph.store import Store
from covermaker.project.document import Convert
from covermaker.render.singing import moved_semitones
from covermaker.voices.library import find_voice

PITCH_LINE = 'pitch = "fcpe"'


def made(store, kind):
    """Return the folder of the newest step of a kind."""
    return [entry for entry in Store(store).entries() if entry.meta["step"] == kind][-1].folder


def sung_hz(copy):
    """Return the middle of what is sung."""
    f0_hz = np.load(made(copy.store, "pitch") / "f0.npy")
    return float(np.median(f0_hz[f0_hz > 0]))


@pytest.mark.parametrize(
    ("transpose", "stem", "expected"),
    [
        (3, "instrumental", 3),
        (-4, "other", -4),
        (12, "instrumental", 0),
        (-24, "instrumental", 0),
        (14, "instrumental", 2),
        (7, "instrumental", -5),
        (3, "drums", 0),
        ("auto", "instrumental", 0),
        ("off", "instrumental", 0),
        ("fit", "instrumental", 0),
    ],
)
def test_everything_with_a_pitch_follows_the_melody_by_the_shortest_way(transpose, stem, expected):
    assert moved_semitones(Convert(transpose=transpose), stem) == expected
    assert moved_semitones(Convert(transpose=transpose, move_instrumental=False), stem) == 0


def test_a_song_moves_to_the_key_of_its_melody(copy_of):
    copy_of.edit('transpose = "auto"', "transpose = 3")
    ran, _ = render(copy_of.project, copy_of.store, "--until", "key")
    assert ran == ["key: instrumental"]
    before = read(made(copy_of.store, "separate") / "accompaniment.wav").samples.mean(axis=0)
    after = read(made(copy_of.store, "key") / "moved.wav").samples.mean(axis=0)
    assert len(after) == len(before)
    # The spectrum of a piece, stretched by three semitones, is that of the moved one: the best stretch says so.
    powers = [np.abs(np.fft.rfft(part[44100:176400] * np.hanning(132300))) for part in (before, after)]
    semitones = np.arange(-6, 7)
    low, high = 100, 6000
    grid = np.geomspace(low, high, 4000)
    bins = [np.log(np.interp(grid, np.fft.rfftfreq(132300, 1 / 44100), power) + 1e-3) for power in powers]
    step = np.log(high / low) / 3999
    likeness = []
    for wanted in semitones:
        lag = round(wanted * np.log(2) / 12 / step)
        one = bins[0][max(0, -lag) : len(grid) - max(0, lag)]
        other = bins[1][max(0, lag) : len(grid) - max(0, -lag)]
        likeness.append(np.corrcoef(one, other)[0, 1])
    assert semitones[int(np.argmax(likeness))] == 3


def test_parts_of_the_song_belong_to_others(copy_of):
    parts = [
        '{ start = 0, stop = "0:01.5", voice = "nobody" }',
        '{ start = "0:03", stop = 99, voice = "original" }',
    ]
    copy_of.edit(PITCH_LINE, f"parts = [{', '.join(parts)}]\n{PITCH_LINE}")
    ran, _ = render(copy_of.project, copy_of.store, "--until", "singers")
    assert ran == ["singers"]
    joined = read(made(copy_of.store, "singers") / "converted.wav")
    vocal = read(made(copy_of.store, "separate") / "vocals.wav")
    converted = read(made(copy_of.store, "convert") / "converted.wav")
    rate = vocal.sample_rate
    assert joined.frames == vocal.frames == converted.frames
    assert not joined.samples[:, : round(1.4 * rate)].any()
    middle = slice(round(1.6 * rate), round(2.9 * rate))
    assert np.array_equal(
        joined.samples[:, middle],
        np.broadcast_to(converted.samples[:, middle], (2, middle.stop - middle.start)),
    )
    end = slice(round(3.1 * rate), None)
    assert np.array_equal(joined.samples[:, end], vocal.samples[:, end])

    # A preview hears the same at the same place.
    ran, result = render(copy_of.project, copy_of.store, "--preview", "0:01-0:04")
    assert "mix" in ran
    assert result["reports"]["master"]["frames"] == 3 * rate


@pytest.mark.slow
def test_a_preview_before_any_render_joins_its_stretch(copy_of, tmp_path):
    parts = '{ start = 2, stop = 3, voice = "original" }'
    copy_of.edit(PITCH_LINE, f"parts = [{parts}]\n{PITCH_LINE}")
    store = tmp_path / "other store"
    ran, _ = render(copy_of.project, store, "--preview", "0:01-0:04")
    assert "singers (preview)" in ran
    joined = read(made(store, "singers") / "converted.wav")
    vocal = read(made(store, "separate") / "vocals.wav")
    rate = vocal.sample_rate
    assert joined.frames == 3 * rate
    inside = slice(round(1.1 * rate), round(1.9 * rate))
    assert np.array_equal(
        joined.samples[:, inside], vocal.samples[:, inside.start + rate : inside.stop + rate]
    )


@pytest.mark.slow
def test_backing_vocals_are_sung_kept_or_muted(copy_of):
    stems = made(copy_of.store, "separate")
    audio = copy_of.project / "audio"
    shutil.copy(stems / "vocals.wav", audio / "lead.wav")
    vocal, rate = soundfile.read(stems / "vocals.wav", dtype="float32")
    soundfile.write(audio / "backing.wav", 0.3 * np.roll(vocal, rate // 4, axis=0), rate, subtype="FLOAT")
    shutil.copy(stems / "accompaniment.wav", audio / "band.wav")
    copy_of.edit('separator = "spleeter"', 'separator = "provided"')
    files = '{ vocals = "audio/lead.wav", backing = "audio/backing.wav", other = "audio/band.wav" }'
    copy_of.edit("[stems]\n", f"[stems]\nfiles = {files}\n")
    copy_of.edit('source = "instrumental"', 'source = "other"')
    file = copy_of.project / "cover.toml"
    track = '\n[[tracks]]\nname = "backing"\nsource = "backing"\n'
    file.write_text(file.read_text() + track)
    kept, _ = render(copy_of.project, copy_of.store, "--until", "mix")
    assert not [name for name in kept if name.startswith("convert:")]
    before = read(made(copy_of.store, "mix") / "mix.wav").samples

    copy_of.edit('source = "backing"', 'source = "backing"\nvoice = "lead"')
    sung, _ = render(copy_of.project, copy_of.store, "--until", "mix")
    assert [name for name in sung if name not in ("mix", "separate")] == [
        "content: backing",
        "pitch: backing",
        "loudness: backing",
        "convert: backing",
    ]
    after = read(made(copy_of.store, "mix") / "mix.wav").samples
    assert not np.array_equal(before, after)

    copy_of.edit('source = "backing"', 'source = "backing"\nmute = true')
    muted, _ = render(copy_of.project, copy_of.store, "--until", "mix")
    assert muted == ["mix"]


def test_a_stem_that_would_be_heard_twice_is_refused(copy_of):
    file = copy_of.project / "cover.toml"
    file.write_text(
        file.read_text() + '\n[[tracks]]\nname = "again"\nsource = "accompaniment"\nvoice = "lead"\n'
    )
    done = covermaker("render", copy_of.project, "--dry-run", check=False)
    assert done.returncode == 3
    assert "tracks[2]" in done.stderr
    assert "heard twice" in done.stderr


def test_settings_that_are_not_read_convert_nothing_again(copy_of):
    correction = 'pitch_correction = { scale = "D minor", retune_ms = 10 }'
    copy_of.edit(PITCH_LINE, f"{correction}\n{PITCH_LINE}")
    assert render(copy_of.project, copy_of.store)[0] == []


@pytest.mark.slow
def test_corrected_pitch_is_another_vocal(copy_of):
    before = read(made(copy_of.store, "convert") / "converted.wav").samples
    copy_of.edit(PITCH_LINE, f'pitch_correction = {{ strength = 1.0, scale = "C major" }}\n{PITCH_LINE}')
    ran, _ = render(copy_of.project, copy_of.store, "--until", "convert")
    assert ran == ["convert"]
    after = read(made(copy_of.store, "convert") / "converted.wav").samples
    assert after.shape == before.shape
    assert not np.array_equal(after, before)


PROFILE = """
heldout_seconds = 0.0
[augmentation]
made_minutes = 0.0
throats = 0
separated = 0.0
[size]
hidden = 24
inner = 32
dilations = [1]
memory_rows = 64
[recipe]
steps = 8
batch_size = 2
warm_steps = 2
saves = 1
"""


@pytest.mark.slow
def test_a_voice_is_trained_as_a_step(copy_of, tmp_path):
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed (Debian package flite)")
    text = "The rain in spring falls softly on the old tin roof above the garden. " * 3
    for number in range(3):
        speak = [
            "flite",
            "-voice",
            "slt",
            "-t",
            f"Number {number}. {text}",
            "-o",
            str(tmp_path / f"take{number}.wav"),
        ]
        subprocess.run(speak, check=True)
    takes = copy_of.project / "voices" / "anna"
    covermaker(
        "voices", "new", "anna", *sorted(tmp_path.glob("take*.wav")), "--rights", "synthetic",
        COVERMAKER_VOICES=str(takes.parent),
    )  # fmt: skip
    (takes / "profile.toml").write_text(PROFILE)
    copy_of.edit('name = "demo"', 'name = "demo"\ntrain = { takes = "voices/anna", profile = "custom" }')
    store = tmp_path / "trained store"
    shutil.copytree(copy_of.store, store)
    ran, result = render(copy_of.project, store)
    assert ran[0] == "train"
    assert "convert" in ran
    import mutagen

    assert "AI voice: anna (rights: synthetic)" in str(mutagen.File(result["files"][0]).tags)

    # A reverb does not train again; a take does.
    copy_of.edit("ratio = 2.5", "ratio = 2.4")
    assert render(copy_of.project, store)[0] == ["rack: vocals", "mix", "master", "export"]
    covermaker("status", copy_of.project, "--store", store)
    folder = takes / "takes"
    first = sorted(folder.glob("*.wav"))[0]
    samples, rate = soundfile.read(first, dtype="float32")
    soundfile.write(first, 0.9 * samples, rate, subtype="FLOAT")
    why = covermaker("why", copy_of.project, "--store", store).stdout
    assert "takes" in why
    assert render(copy_of.project, store)[0][0] == "train"
    assert Path(result["record"]).exists()


@pytest.mark.slow
def test_the_original_follows_into_the_new_key(copy_of):
    copy_of.edit('transpose = "auto"', "transpose = 2")
    copy_of.edit(PITCH_LINE, f'parts = [{{ start = 1, stop = 3, voice = "original" }}]\n{PITCH_LINE}')
    ran, _ = render(copy_of.project, copy_of.store, "--until", "singers")
    assert ran == ["convert", "key: vocals", "singers"]


@pytest.mark.slow
def test_a_song_takes_the_key_that_suits_the_voice(copy_of):
    shipped = find_voice("demo").folder
    local = copy_of.project / "voices" / "demo"
    shutil.copytree(shipped, local)
    card = (local / "card.toml").read_text(encoding="utf-8")
    (local / "card.toml").write_text(
        re.sub("takes_median_hz = .*", f"takes_median_hz = {sung_hz(copy_of) * 2 ** (4 / 12):.1f}", card),
        encoding="utf-8",
    )
    copy_of.edit('transpose = "auto"', 'transpose = "fit"')
    copy_of.edit(PITCH_LINE, f'parts = [{{ start = 1, stop = 3, voice = "original" }}]\n{PITCH_LINE}')
    ran, _ = render(copy_of.project, copy_of.store, "--until", "singers")
    assert ran == ["fit", "convert", "key: vocals", "singers"]
    assert render(copy_of.project, copy_of.store, "--until", "key")[0] == ["key: instrumental"]
    conversion = json.loads((made(copy_of.store, "convert") / "report.json").read_text())
    key = json.loads((made(copy_of.store, "fit") / "key.json").read_text())["semitones"]
    assert key == 4
    assert (conversion["semitones"] - key) % 12 == 0

    copy_of.edit('transpose = "fit"', 'transpose = "fit"\nmove_instrumental = false')
    done = covermaker("render", copy_of.project, "--dry-run", check=False)
    assert done.returncode == 3
    assert "move_instrumental = false keeps it" in done.stderr


@pytest.mark.slow
def test_mended_pitch_is_read_again(copy_of):
    copy_of.edit(PITCH_LINE, f"repair_octaves = false\nsmooth_frames = 5\n{PITCH_LINE}")
    assert render(copy_of.project, copy_of.store, "--until", "convert")[0] == ["pitch", "convert"]
    copy_of.edit("smooth_frames = 5", "smooth_frames = 4")
    done = covermaker("render", copy_of.project, "--dry-run", check=False)
    assert done.returncode != 0
    assert "odd number" in done.stderr


def test_a_singer_that_the_voice_does_not_have_is_refused_before_anything_runs(copy_of):
    copy_of.edit(PITCH_LINE, f"singers = {{ anna = 1.0 }}\n{PITCH_LINE}")
    done = covermaker("render", copy_of.project, "--dry-run", check=False)
    assert done.returncode == 3
    assert "no singer 'anna'" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--singer", "anna"), 3, "no singer 'anna'"),
        (("--singer", "anna=x"), 2, "no weight after the sign"),
        (("--guide", "melody.mid"), 2, "does nothing without --correct"),
        (("--protect", "0.9"), 2, "--protect 0.9"),
        (("--formant", "20"), 2, "--formant 20"),
        (("--correct", "0.5", "--scale", "H"), 3, "unknown scale 'H'"),
        (("--smooth-frames", "4"), 2, "odd number"),
    ],
)
def test_wishes_of_the_command_line_that_cannot_be(rendered, options, code, words):
    done = covermaker("convert", rendered.song, "--store", rendered.store, *options, check=False)
    assert done.returncode == code
    assert words in done.stderr
