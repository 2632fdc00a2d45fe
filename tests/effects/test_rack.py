"""Rack rows, racks and rendered files."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from effect_signals import RATE, MakeRack, rms_db, tone

from covermaker.effects.rack import Rack, parse_rack, rack_params
from covermaker.effects.rack_file import render_rack
from covermaker.errors import AudioInputError, CovermakerError, ProjectError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = [
    {"effect": "gate", "threshold_db": -45.0},
    {"effect": "compressor", "ratio": 4},
    {"effect": "delay", "ping_pong": True, "bypass": True},
]


def test_rows_are_filled_with_defaults() -> None:
    gate, compressor, delay = parse_rack(GOOD, where="tracks[0].rack")
    assert gate.values["threshold_db"] == -45.0
    assert gate.values["hold_ms"] == 40.0
    assert isinstance(compressor.values["ratio"], float)
    assert not compressor.bypass
    assert delay.bypass
    assert delay.values["ping_pong"] is True
    assert parse_rack([], where="rack") == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"effect": "compressor", "ratio": 0.2},
         r"tracks\[0\]\.rack\[1\]\.ratio = 0\.2 is below 1 \(allowed: 1 to 20 :1\)"),
        ({"effect": "compressor", "ratio": 21}, r"ratio = 21 is above 20 \(allowed: 1 to 20 :1\)"),
        ({"effect": "compressor", "ratio": "4"}, r"ratio = '4' must be a number \(allowed: 1 to 20 :1\)"),
        ({"effect": "compressor", "ratio": True}, r"ratio = true must be a number"),
        ({"effect": "compressor", "ratio": math.nan}, r"ratio = nan must be a finite number"),
        ({"effect": "compressor", "attack_ms": -math.inf}, r"attack_ms = -inf must be a finite number"),
        ({"effect": "compressor", "thresold_db": -20.0},
         r"rack\[1\]\.thresold_db is no parameter of compressor \(did you mean 'threshold_db'\?\)"),
        ({"effect": "gain", "bypas": True}, r"bypas is no parameter of gain \(did you mean 'bypass'\?\)"),
        ({"effect": "compresor"}, r"rack\[1\]\.effect = 'compresor' is no effect \(did you mean 'compressor'\?\)"),
        ({"ratio": 2.0}, r"rack\[1\]\.effect is missing \(known: gate, "),
        ({"effect": 3}, r"rack\[1\]\.effect must be a name"),
        ({"effect": "gain", "bypass": "no"}, r"rack\[1\]\.bypass = 'no' must be true or false"),
        ({"effect": "delay", "ping_pong": 1}, r"ping_pong = 1 must be true or false"),
        ({"effect": "high_pass", "slope_db": 13}, r"slope_db = 13 is not allowed \(allowed: 6, 12, 24, 48\)"),
        ("gain", r"rack\[1\] must be a table"),
    ],
)  # fmt: skip
def test_bad_rows_are_refused_with_their_place(row: object, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        parse_rack([{"effect": "gain"}, row], where="tracks[0].rack")  # type: ignore[list-item]


@pytest.mark.parametrize("rows", ["gain", {"effect": "gain"}, 3, None])
def test_a_rack_is_a_list(rows: object) -> None:
    with pytest.raises(ProjectError, match=r"tracks\[0\]\.rack must be a list of effects"):
        parse_rack(rows, where="tracks[0].rack")  # type: ignore[arg-type]


def test_params_are_canonical() -> None:
    """Equal sounds have equal keys, whatever the spelling; bypassed effects have no part in them."""
    written = parse_rack(
        [{"effect": "gain", "gain_db": -0.0}, {"effect": "high_pass", "slope_db": 12}], where="a"
    )
    plain = parse_rack(
        [{"effect": "gain"}, {"slope_db": 12.0, "effect": "high_pass", "bypass": False}], where="b"
    )
    assert repr(rack_params(written)) == repr(rack_params(plain))
    assert rack_params(written)[0] == {"effect": "gain", "version": 1, "values": {"gain_db": 0.0}}
    assert len(rack_params(parse_rack(GOOD, where="rack"))) == 2


def test_parsing_loads_no_audio_library() -> None:
    code = (
        "import sys; from covermaker.effects import EFFECTS; from covermaker.effects.presets import *;"
        "from covermaker.effects.rack import parse_rack; from covermaker.effects.spec import describe;"
        "[parse_rack([{'effect': n} | ({'plugin': 'x'} if n == 'vst3' else {})], where='r')[0].params()"
        " for n in EFFECTS.names()];"
        "[describe(EFFECTS.load(n)) for n in EFFECTS.names()];"
        "[load_preset(k, e.name) for k in KINDS for e in list_presets(k)];"
        "bad = {'pedalboard', 'scipy', 'torch', 'soundfile', 'av'} & set(sys.modules);"
        "sys.exit(f'loaded: {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rack_runs_in_order_and_sums_tails(rack: MakeRack) -> None:
    sound = tone(500.0, -6.0, 0.5)
    louder_first = rack({"effect": "gain", "gain_db": 12.0}, {"effect": "compressor", "threshold_db": -10.0})
    louder_last = rack({"effect": "compressor", "threshold_db": -10.0}, {"effect": "gain", "gain_db": 12.0})
    assert rms_db(louder_last.process(sound)) > rms_db(louder_first.process(sound)) + 3.0
    one, two = {"effect": "reverb"}, {"effect": "delay"}
    assert rack(one, two).tail_seconds() == pytest.approx(rack(one).tail_seconds() + rack(two).tail_seconds())
    assert rack().tail_seconds() == 0.0
    assert np.array_equal(rack().process(sound), sound)


def test_rack_guards_against_bad_samples(rack: MakeRack, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = tone(500.0, -6.0, 0.1)
    sound[1, 77] = np.nan
    with pytest.raises(AudioInputError, match="NaN or infinite"):
        rack({"effect": "gain"}).process(sound)
    with pytest.raises(ValueError, match=r"takes 2 channels, the block is \(1, 10\)"):
        rack().process(np.zeros((1, 10), np.float32))
    with pytest.raises(ValueError, match="1 or 2 channels, not 6"):
        Rack((), sample_rate=RATE, channels=6)
    chain = rack({"effect": "high_pass"}, {"effect": "gain"})
    broken = chain._stages[1].effect
    monkeypatch.setattr(broken, "process", lambda block: block * np.float32(np.inf))
    with pytest.raises(CovermakerError, match=r"effect 2 of a rack \(gain\) made NaN or infinite"):
        chain.process(tone(500.0, -6.0, 0.1))


def test_mono_source_is_worked_on_once_and_sounds_the_same() -> None:
    """Effects that keep equal channels equal run on one; from the first that spreads the sound on, on two."""
    rows = [
        {"effect": "gate"},
        {"effect": "eq", "band1_db": 3.0},
        {"effect": "compressor", "threshold_db": -30.0},
    ]
    rows += [{"effect": "reverb"}, {"effect": "gain", "gain_db": -3.0}]
    settings = parse_rack(rows, where="rack")
    sound = np.random.default_rng(5).normal(0.0, 0.1, (1, 30_000)).astype(np.float32)
    wide = Rack(settings, sample_rate=RATE, channels=2)
    once = Rack(settings, sample_rate=RATE, channels=2, source_channels=1)
    assert [stage.channels for stage in once._stages] == [1, 1, 1, 2, 2]
    made = once.process(sound)
    assert made.shape == (2, 30_000)
    assert np.array_equal(made, wide.process(np.repeat(sound, 2, axis=0)))
    assert once.reductions() == wide.reductions()


# --- files ---------------------------------------------------------------------------------------------------------

WET = [
    {"effect": "high_pass"},
    {"effect": "compressor", "threshold_db": -30.0},
    {"effect": "delay", "time_ms": 400.0, "feedback": 0.3, "wet_db": -6.0},
    {"effect": "reverb", "room_size": 0.2},
]


def write(path: Path, sound: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, sound.T, rate, subtype="FLOAT")
    return path


def load(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def test_rendered_file_is_the_rack_with_its_tail(tmp_path: Path) -> None:
    sound = np.random.default_rng(5).standard_normal((2, 3 * RATE)).astype(np.float32) * 0.1
    settings = parse_rack(WET, where="rack")
    seen: list[float] = []
    report = render_rack(
        write(tmp_path / "in.wav", sound),
        tmp_path / "out.wav",
        settings,
        sample_rate=RATE,
        progress=seen.append,
    )
    out = load(tmp_path / "out.wav")
    assert report.frames == sound.shape[1]
    assert out.shape == (2, report.frames + report.tail_frames)
    assert soundfile.info(tmp_path / "out.wav").subtype == "FLOAT"
    chain = Rack(settings, sample_rate=RATE, channels=2)
    whole = chain.process(np.pad(sound, ((0, 0), (0, 10 * RATE))))
    assert np.array_equal(out, whole[:, : out.shape[1]])
    floor = 10 ** (-90 / 20)
    assert np.abs(whole[:, out.shape[1] :]).max() < floor < np.abs(out[:, -1]).max()
    assert report.peak == np.abs(out).max()
    assert [stage.effect for stage in report.reductions] == ["compressor"]
    assert report.reductions[0].maximum_db > 3.0
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_mono_source_fills_a_stereo_rack(tmp_path: Path) -> None:
    mono = tone(440.0, -12.0, 0.5, channels=1)
    report = render_rack(write(tmp_path / "in.wav", mono), tmp_path / "out.wav", (), sample_rate=RATE)
    assert report.tail_frames == 0
    assert np.array_equal(load(tmp_path / "out.wav"), np.repeat(mono, 2, axis=0))
    render_rack(tmp_path / "out.wav", tmp_path / "mono.wav", (), sample_rate=RATE, channels=1)
    assert np.array_equal(load(tmp_path / "mono.wav"), mono)


def test_region(tmp_path: Path) -> None:
    sound = np.random.default_rng(6).standard_normal((2, RATE)).astype(np.float32) * 0.1
    report = render_rack(
        write(tmp_path / "in.wav", sound),
        tmp_path / "out.wav",
        (),
        sample_rate=RATE,
        start=1000,
        frames=12345,
    )
    assert (report.frames, report.tail_frames) == (12345, 0)
    assert np.array_equal(load(tmp_path / "out.wav"), sound[:, 1000:13345])


@pytest.mark.parametrize("seconds", [0.0, 0.25, 3.0])
def test_wanted_tail_is_exact(tmp_path: Path, seconds: float) -> None:
    source = write(tmp_path / "in.wav", tone(440.0, -12.0, 0.2))
    settings = parse_rack([{"effect": "reverb"}], where="rack")
    report = render_rack(source, tmp_path / "out.wav", settings, sample_rate=RATE, tail_seconds=seconds)
    assert report.tail_frames == round(seconds * RATE)
    assert load(tmp_path / "out.wav").shape[1] == report.frames + report.tail_frames


def test_quiet_gaps_between_echoes_stay(tmp_path: Path) -> None:
    """The tail is not cut in the silence before a late echo."""
    burst = np.zeros((2, 1000), np.float32)
    burst[:, -10:] = 0.5
    row = {
        "effect": "delay",
        "time_ms": 2000.0,
        "feedback": 0.0,
        "wet_db": 0.0,
        "low_cut_hz": 20.0,
        "high_cut_hz": 20000.0,
    }
    report = render_rack(
        write(tmp_path / "in.wav", burst),
        tmp_path / "out.wav",
        parse_rack([row], where="rack"),
        sample_rate=RATE,
    )
    assert report.tail_frames == 2 * RATE
    assert np.array_equal(load(tmp_path / "out.wav")[:, -10:], burst[:, -10:])


def test_endless_tail_is_capped_and_fades(tmp_path: Path) -> None:
    row = {"effect": "delay", "time_ms": 300.0, "feedback": 0.95, "wet_db": 0.0}
    report = render_rack(
        write(tmp_path / "in.wav", tone(1000.0, -6.0, 1.0)),
        tmp_path / "out.wav",
        parse_rack([row], where="rack"),
        sample_rate=RATE,
    )
    out = load(tmp_path / "out.wav")
    assert 9.9 * RATE < report.tail_frames <= 10 * RATE
    assert np.abs(out[:, -RATE // 10 :]).max() < 0.2 * np.abs(out[:, -3 * RATE : -2 * RATE]).max()
    assert np.abs(out[:, -20:]).max() < 1e-3


def test_silence_has_no_tail(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", np.zeros((2, 5000), np.float32))
    report = render_rack(source, tmp_path / "out.wav", parse_rack(WET, where="rack"), sample_rate=RATE)
    assert (report.frames, report.tail_frames, report.peak) == (5000, 0, 0.0)


def test_wrong_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioInputError, match=r"in\.wav is at 48000 Hz, the rack at 44100 Hz"):
        render_rack(
            write(tmp_path / "in.wav", np.zeros((2, 100), np.float32), 48000),
            tmp_path / "o.wav",
            (),
            sample_rate=RATE,
        )
    with pytest.raises(AudioInputError, match="6 channels"):
        render_rack(
            write(tmp_path / "six.wav", np.zeros((6, 100), np.float32)),
            tmp_path / "o.wav",
            (),
            sample_rate=RATE,
        )
    assert not (tmp_path / "o.wav").exists()


def test_unknown_effect_by_name() -> None:
    from covermaker.effects import EFFECTS

    with pytest.raises(UsageError, match=r"unknown effect 'reverv' \(did you mean 'reverb'\?\)"):
        EFFECTS.load("reverv")
