"""What every separator promises, ours or another package's."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from covermaker.errors import UsageError
from covermaker.stems import SEPARATORS

RATE = 44100


@pytest.fixture(scope="session")
def demucs_repo(tmp_path_factory):
    """A folder with a tiny Hybrid Transformer Demucs called ``tiny``."""
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    from demucs.htdemucs import HTDemucs
    from demucs.states import save_with_checksum

    with torch.random.fork_rng():
        torch.manual_seed(0)
        stems = ["drums", "bass", "other", "vocals"]
        network = HTDemucs(stems, channels=8, t_layers=1, t_heads=2, bottom_channels=16, segment=0.5)
    args, kwargs = network._init_args_kwargs
    package = {"klass": HTDemucs, "args": args, "kwargs": kwargs, "state": network.state_dict()}
    folder = tmp_path_factory.mktemp("demucs")
    save_with_checksum(package, folder / "tiny.th")
    return folder


def write(path, samples, rate=RATE):
    soundfile.write(path, samples.T, rate, subtype="FLOAT")
    return path


def read(path):
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.T, rate


def music(frames, seed=0):
    random = np.random.default_rng(seed)
    time = np.arange(frames) / RATE
    tones = [np.sin(2 * np.pi * f0_hz * time + random.uniform(0, 6)) for f0_hz in (110, 331, 1760, 12500)]
    noise = random.normal(size=(2, frames)) * np.exp(-(time % 0.4) / 0.1)
    return (0.08 * sum(tones) + 0.05 * noise).astype(np.float32)


@pytest.fixture(params=SEPARATORS.names())
def make(request, tmp_path):
    """Return a function that makes the separator for a song; `provided` gets two stems that add up to it."""

    def build(song):
        options = {}
        if request.param == "demucs":
            options = {"repo": request.getfixturevalue("demucs_repo"), "model": "tiny"}
        elif request.param == "provided":
            samples, rate = read(song)
            vocals = 0.5 * samples[:, ::-1]
            options = {
                "files": {
                    "vocals": write(tmp_path / "v.wav", vocals, rate),
                    "other": write(tmp_path / "o.wav", samples - vocals, rate),
                }
            }
        return SEPARATORS.load(request.param)("cpu", **options)

    return build


def separate(make, tmp_path, samples, rate=RATE, out="out", **options):
    song = write(tmp_path / "song.wav", samples, rate)
    report = make(song).separate(song, tmp_path / out, **options)
    return report, {name: read(tmp_path / out / f"{name}.wav") for name in report.stems}


@pytest.mark.parametrize(
    ("frames", "rate"), [(1, RATE), (1023, RATE), (44101, RATE), (48001, 48000), (9601, 96000)]
)
def test_length_rate_format_and_sum(make, tmp_path, frames, rate):
    song = music(frames)
    report, stems = separate(make, tmp_path, song, rate)
    assert (report.frames, report.sample_rate) == (frames, rate)
    assert report.stems == tuple(stems)
    assert report.stems[0] == "vocals"
    for name, (samples, stem_rate) in stems.items():
        assert samples.shape == (2, frames)
        assert stem_rate == rate
        assert soundfile.info(tmp_path / "out" / f"{name}.wav").subtype == "FLOAT"
        assert np.isfinite(samples).all()
    error = song - sum(samples for samples, _ in stems.values())
    assert np.square(error).sum() <= 1e-6 * np.square(song).sum()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.wav" for name in stems}


def test_silence_stays_silence(make, tmp_path):
    _, stems = separate(make, tmp_path, np.zeros((2, 20000), np.float32))
    assert not any(samples.any() for samples, _ in stems.values())


def test_the_same_song_gives_the_same_bits(make, tmp_path):
    song = music(44101)
    _, first = separate(make, tmp_path, song, out="a")
    _, second = separate(make, tmp_path, song, out="b")
    assert all(np.array_equal(first[name][0], second[name][0]) for name in first)


def test_levels_beyond_full_scale_are_neither_clipped_nor_rescaled(make, tmp_path):
    song = 20 * music(44101)
    _, stems = separate(make, tmp_path, song)
    assert max(np.abs(samples).max() for samples, _ in stems.values()) > 1.5
    np.testing.assert_allclose(sum(samples for samples, _ in stems.values()), song, atol=1e-4)


def test_how_the_file_is_cut_does_not_matter(make, tmp_path, monkeypatch):
    from covermaker.stems import streaming

    song = music(44101)
    _, whole = separate(make, tmp_path, song, out="whole")
    cut = streaming.blocks
    monkeypatch.setattr(
        streaming, "blocks", lambda path, **options: cut(path, **{"block_frames": 3001, **options})
    )
    _, parts = separate(make, tmp_path, song, out="parts")
    assert all(np.array_equal(whole[name][0], parts[name][0]) for name in whole)


def test_progress_rises_to_one(make, tmp_path):
    seen = []
    separate(make, tmp_path, music(44101), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_cancelled_separation_leaves_nothing(make, tmp_path):
    class CancelledError(Exception):
        pass

    def cancel(fraction):
        raise CancelledError

    with pytest.raises(CancelledError):
        separate(make, tmp_path, music(44101), progress=cancel)
    assert not list((tmp_path / "out").iterdir())


def test_what_enters_the_key(make, tmp_path):
    song = write(tmp_path / "song.wav", music(100))
    separator = make(song)
    assert separator.VERSION >= 1
    assert json.loads(json.dumps(separator.params())) == separator.params()
    assert str(tmp_path) not in json.dumps(separator.params())
    assert all(len(sha256) == 64 for sha256 in separator.weights_used())
    assert separator.stems[0] == "vocals"


def test_an_unknown_separator_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'spleeter'"):
        SEPARATORS.load("spleter")


def test_names_and_stems_do_not_load_torch():
    import subprocess
    import sys

    script = (
        "import sys; from covermaker.stems import SEPARATORS; SEPARATORS.names();"
        "s = SEPARATORS.load('spleeter')('auto'); s.stems, s.params(), s.weights_used();"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
