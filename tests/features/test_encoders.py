"""The content encoders themselves: one time grid, both layouts of ContentVec, fusion, what is missing."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from parity_weights import vectors
from published_weights import hubert_tensors

from covermaker.errors import WeightsError
from covermaker.features.clock import frame_count
from covermaker.features.content import encode_clips, extract_content
from covermaker.features.encoders import ENCODERS, content_weights, content_width, contentvec, encoders_of
from covermaker.features.encoders.grid import at_grid
from covermaker.features.encoders.whisper import BASE, TINY_EN, WhisperReader
from covermaker.weights import warm
from covermaker.weights.catalog import entry, locate
from covermaker.weights.device import torch_ready

torch = torch_ready()
READINGS = [contentvec.CONTENTVEC, contentvec.CONTENTVEC_256]
BEGUN = [contentvec.CONTENTVEC_768L12, contentvec.CONTENTVEC_256L9]


# The grid


@pytest.mark.parametrize("rate_hz", [50.0, 62.5, 100.0, 86.1328125, 49.95])
@pytest.mark.parametrize("first_seconds", [0.0, 0.0125, 0.01])
def test_rows_of_any_rate_are_read_at_their_time(rate_hz, first_seconds):
    """Rows that hold their own centre times must read i / 50 s everywhere between the first and the last."""
    centres = first_seconds + np.arange(round(10 * rate_hz)) / rate_hz
    found = at_grid(centres[:, None].astype(np.float32), 500, rate_hz=rate_hz, first_seconds=first_seconds)[
        :, 0
    ]
    wanted = np.clip(np.arange(500) / 50, centres[0], centres[-1])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_rows_on_the_grid_stay_bit_for_bit():
    rows = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
    np.testing.assert_array_equal(at_grid(rows, 100, rate_hz=50.0, first_seconds=0.0), rows)
    np.testing.assert_array_equal(at_grid(rows, 40, rate_hz=100.0, first_seconds=0.0), rows[:80:2])


def test_past_the_end_the_last_row_holds():
    rows = np.arange(3, dtype=np.float32)[:, None]
    assert at_grid(rows, 5, rate_hz=50.0, first_seconds=0.0)[:, 0].tolist() == [0, 1, 2, 2, 2]
    assert at_grid(rows[:1], 3, rate_hz=77.0, first_seconds=0.3)[:, 0].tolist() == [0, 0, 0]


# Names


def test_every_encoder_is_what_its_name_says():
    for name in ENCODERS.names():
        encoder = ENCODERS.load(name)
        assert name == encoder.NAME
        assert encoder.WIDTH > 0
        assert encoder.VERSION >= 1
        for weights in encoder.WEIGHTS:
            assert entry(weights).licence == "MIT"


def test_naming_the_encoders_loads_no_network_library():
    code = (
        "import sys; from covermaker.features.encoders import ENCODERS, encoders_of; "
        "[encoders_of(name) for name in ENCODERS.names()]; "
        "assert not {'torch', 'faster_whisper', 'ctranslate2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_fusion_adds_widths_and_names_each_weight_once():
    assert content_width("whisper-base + contentvec") == 512 + 768
    assert content_weights("contentvec+contentvec-256+whisper-tiny.en") == ("contentvec", "whisper-tiny.en")


@pytest.mark.parametrize("name", ["whisper-small", "contentvec"])
def test_missing_weights_say_what_to_run(write_wav, tmp_path, monkeypatch, name):
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=rf"'{name}'.*not installed.*covermaker models pull {name}"):
        extract_content(write_wav(np.ones(1000)), encoder=f"{name}+whisper-base")


# Whisper


@pytest.fixture(scope="module")
def tiny():
    try:
        return WhisperReader(locate("whisper-tiny.en"), TINY_EN, device="cpu", threads=1)
    except WeightsError as error:
        pytest.skip(str(error))


def test_whisper_reads_a_window(tiny):
    voice = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    before = hashlib.sha256(voice).digest()
    assert tiny(voice).shape == (1500, 384)
    assert hashlib.sha256(voice).digest() == before
    assert not tiny(voice * 0).any()
    with pytest.raises(ValueError, match="a window holds"):
        tiny(np.ones(480_001, np.float32))


def test_a_folder_without_whisper_is_one_clear_line(tmp_path):
    with pytest.raises(WeightsError, match="whisper-base cannot be loaded"):
        WhisperReader(tmp_path, BASE, device="cpu", threads=1)


@pytest.mark.parametrize(
    ("asked", "got"),
    [("cpu", ("cpu", 0)), ("cuda", ("cuda", 0)), ("cuda:1", ("cuda", 1)), ("mps", ("cpu", 0))],
)
def test_whisper_runs_on_the_gpu_that_is_asked_for(tmp_path, monkeypatch, asked, got):
    """The index is what CTranslate2 calls device_index."""
    opened = []
    monkeypatch.setattr(
        "faster_whisper.WhisperModel",
        lambda folder, *, device, device_index, **more: opened.append((device, device_index)),
    )
    WhisperReader(tmp_path, BASE, device=asked, threads=1)
    assert opened == [got]


def test_another_size_than_the_name_says_is_refused(tiny):
    reader = WhisperReader(locate("whisper-tiny.en"), BASE, device="cpu", threads=1)
    with pytest.raises(WeightsError, match=r"whisper-base gives rows of shape \(1500, 384\).*another size"):
        reader(np.ones(1000, np.float32))


# ContentVec


@pytest.fixture(scope="module")
def layouts():
    return [{name: torch.from_numpy(array) for name, array in names.items()} for names in hubert_tensors()]


@pytest.fixture(scope="module")
def weights(layouts, tmp_path_factory):
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("contentvec") / "model.safetensors"
    save_file(layouts[0], path)
    return path


@pytest.fixture
def installed(weights, monkeypatch):
    monkeypatch.setenv("COVERMAKER_WEIGHTS_CONTENTVEC", str(weights))
    warm.drop()
    yield
    warm.drop()


@pytest.fixture(scope="module")
def networks(weights):
    return [contentvec.load(weights, reading, device="cpu") for reading in BEGUN]


def sound_of(stored):
    return stored["audio_i16"].astype(np.float32) / np.float32(32768)


def test_the_network_is_the_published_one(networks):
    stored = vectors("hubert")
    sound = torch.from_numpy(sound_of(stored))
    with torch.inference_mode():
        for network, key in zip(networks, ["layer12", "layer9_proj"], strict=True):
            np.testing.assert_allclose(network(sound).numpy(), stored[key], atol=2e-3)
        np.testing.assert_allclose(networks[0].hear(sound).numpy(), stored["conv"], atol=2e-2)


def test_nine_blocks_without_the_projection_are_the_published_ninth(weights):
    stored = vectors("hubert")
    network = contentvec.load(weights, replace(BEGUN[1], projected=False), device="cpu")
    with torch.inference_mode():
        rows = network(torch.from_numpy(sound_of(stored))).numpy()
    np.testing.assert_allclose(rows, stored["layer9"], atol=2e-3)


@pytest.mark.slow
def test_published_voices_hear_rows_that_begin_at_their_time(networks):
    """Nothing stands before the first sample; behind the last there is as much silence as the last row lacks."""
    sound = np.random.default_rng(0).normal(0, 0.1, 16_080).astype(np.float32)
    for samples, lacking in ((16_080, 320), (16_000, 80), (15_999, 81)):
        with torch.inference_mode():
            original = networks[1](torch.from_numpy(np.pad(sound[:samples], (0, lacking)))).numpy()
        found = contentvec.encode(networks[1], sound[:samples], centred=False)
        np.testing.assert_array_equal(found, original)


@pytest.mark.parametrize("samples", [1, 80, 319, 320, 321, 400, 16_001])
def test_rows_that_begin_at_their_time_hear_the_last_sample(networks, samples):
    """As many rows as hops were begun, and the last of them ends at the last sample or behind it."""
    sound = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    rows = contentvec.encode(networks[1], sound, centred=False)
    count = -(-samples // 320)
    assert rows.shape == (count, 256)
    assert (count - 1) * 320 + 400 >= samples
    assert np.isfinite(rows).all()
    silent = contentvec.encode(networks[1], sound * 0, centred=False)
    assert silent.shape == rows.shape
    assert not silent.any()


@pytest.mark.parametrize("samples", [320 * 40, 320 * 40 + 1, 320 * 41 - 1, 160 * 81])
def test_a_song_has_a_row_for_each_of_its_frames(installed, write_wav, samples):
    """Two frames to a row up to the last frame of the song, odd or even; the last row is no copy of the one before."""
    sound = np.random.default_rng(0).normal(0, 0.1, samples)
    rows = extract_content(write_wav(sound, 16_000), encoder="contentvec-256l9")
    frames = frame_count(samples, 16_000)
    assert len(rows) == -(-frames // 2)
    assert np.abs(rows[-1].astype(float) - rows[-2]).mean() > 0.05


class Settings:
    """What a training framework leaves beside its tensors."""

    def __init__(self):
        self.options = {"lr": 1.0}


class Bomb:
    def __reduce__(self):
        return (print, ("a foreign pickle ran code",))


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_the_first_published_layout_is_the_same_network(layouts, weights, tmp_path, capsys, zipped):
    """It holds its framework's objects, names to drop, half precision; nothing in it is run."""
    published = {name: value.half() for name, value in layouts[1].items()}
    published |= {"mask_emb": torch.zeros(768), "label_embs_concat": torch.zeros(504, 256)}
    path = tmp_path / "any name"
    torch.save(
        {"args": Settings(), "cfg": Bomb(), "model": published, "extra": [Settings()]},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    for reading in READINGS:
        ours = contentvec.load(weights, reading, device="cpu").state_dict()
        theirs = contentvec.load(path, reading, device="cpu").state_dict()
        assert list(ours) == list(theirs)
        for name, value in ours.items():
            torch.testing.assert_close(theirs[name], value, atol=2e-3, rtol=2e-3)
    assert "ran code" not in capsys.readouterr().out


@pytest.mark.parametrize("variant", ["newer names of the weight norm", "prefix", "torch file"])
def test_variants_of_the_newer_layout(layouts, weights, tmp_path, variant):
    tensors, path = layouts[0], tmp_path / "model.bin"
    if variant == "newer names of the weight norm":
        renamed = {
            "weight_g": "parametrizations.weight.original0",
            "weight_v": "parametrizations.weight.original1",
        }
        for old, new in renamed.items():
            tensors = {name.replace(old, new): value for name, value in tensors.items()}
    elif variant == "prefix":
        tensors = {f"hubert.{name}": value for name, value in tensors.items()}
    torch.save(tensors, path)
    ours = contentvec.load(weights, READINGS[1], device="cpu").state_dict()
    theirs = contentvec.load(path, READINGS[1], device="cpu").state_dict()
    for name, value in ours.items():
        torch.testing.assert_close(theirs[name], value, atol=0, rtol=0)


def test_torchaudios_layout_is_the_same_network(layouts, networks, tmp_path):
    path = tmp_path / "hubert.pt"
    torch.save(layouts[2], path)
    theirs = contentvec.load(path, BEGUN[1], device="cpu").state_dict()
    for name, value in networks[1].state_dict().items():
        torch.testing.assert_close(theirs[name], value, atol=0, rtol=0)


def test_a_file_without_the_projection_serves_one_reading(layouts, tmp_path):
    path = tmp_path / "model.bin"
    torch.save({name: value for name, value in layouts[0].items() if "final_proj" not in name}, path)
    contentvec.load(path, READINGS[0], device="cpu")
    with pytest.raises(WeightsError, match=r"model\.bin holds no contentvec-256 weights: 'final_proj"):
        contentvec.load(path, READINGS[1], device="cpu")


@pytest.mark.parametrize("content_bytes", [b"no weights", b"", b"\x80\x02cos\nsystem\nX\x04\0\0\0exit\x85R."])
def test_a_file_of_something_else_is_named(tmp_path, content_bytes):
    path = tmp_path / "model.bin"
    path.write_bytes(content_bytes)
    with pytest.raises(WeightsError, match=r"model\.bin holds no contentvec weights"):
        contentvec.load(path, READINGS[0], device="cpu")


@pytest.mark.parametrize("samples", [1, 319, 320, 16_000, 16_001])
def test_rows_lie_on_the_grid_and_reach_both_ends(weights, samples):
    network = contentvec.load(weights, READINGS[1], device="cpu")
    sound = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    assert contentvec.encode(network, sound).shape == (samples // 320 + 1, 256)
    silent = contentvec.encode(network, sound * 0)
    assert silent.shape == (samples // 320 + 1, 256)
    assert not silent.any()


# All together


@dataclass(frozen=True)
class Ruler:
    """An encoder of another frame rate: each row is the mean level of its own hop, centred in it."""

    NAME: str = "ruler"
    VERSION: int = 1
    WEIGHTS: tuple[str, ...] = ()
    WIDTH: int = 3
    RATE_HZ: float = 16_000 / 256
    FIRST_ROW_SECONDS: float = 128 / 16_000
    FIXED_WINDOW: bool = False

    def open(self, *, device, threads):
        def encode(window):
            padded = np.pad(window, (0, -len(window) % 256))
            return np.abs(padded).reshape(-1, 256).mean(axis=1, keepdims=True).repeat(3, axis=1)

        return encode


@pytest.fixture
def with_ruler(monkeypatch):
    monkeypatch.setattr(
        ENCODERS, "load", lambda name, load=ENCODERS.load: Ruler() if name == "ruler" else load(name)
    )


ALL = ["whisper-base", "whisper-tiny.en", "contentvec", "contentvec-256", "ruler"]


@pytest.mark.slow
@pytest.mark.parametrize("at_seconds", [2.01])
def test_a_burst_shows_in_all_at_the_same_time(installed, with_ruler, tiny, write_wav, at_seconds):
    """60 ms of noise on a babble: in every encoder's rows the largest change lies at its middle."""
    rate = 16_000
    rng = np.random.default_rng(0)
    time = np.arange(3 * rate) / rate
    babble = 0.1 * np.sign(np.sin(2 * np.pi * np.cumsum(150 + 30 * np.sin(4 * time)) / rate))
    babble *= np.interp(time, np.arange(21) * 0.15, rng.uniform(0, 1, 21))
    first, count = round((at_seconds - 0.03) * rate), round(0.06 * rate)
    burst = babble.copy()
    burst[first : first + count] += rng.normal(0, 0.3, count) * np.hanning(count)
    fusion = "+".join(ALL)
    without, within = (extract_content(write_wav(sound, rate), encoder=fusion) for sound in (babble, burst))
    assert within.shape == (151, content_width(fusion))
    change = (within.astype(np.float32) - without) ** 2
    start = 0
    for name in ALL:
        energy = change[:, start : start + content_width(name)].sum(axis=1)
        start += content_width(name)
        found_seconds = np.convolve(energy, np.hanning(9), mode="same").argmax() / 50
        assert found_seconds == pytest.approx(at_seconds, abs=0.041), name


@pytest.mark.slow
def test_a_fusion_is_its_parts_side_by_side(with_ruler, write_wav):
    voice = np.random.default_rng(1).normal(0, 0.1, 50_000)
    path = write_wav(voice, 16_000)
    fused = extract_content(path, encoder="whisper-base+ruler")
    np.testing.assert_array_equal(fused[:, :512], extract_content(path))
    np.testing.assert_array_equal(fused[:, 512:], extract_content(path, encoder="ruler"))
    clips = [voice[:20_000].astype(np.float32), voice[30_000:].astype(np.float32)]
    fused_clips = encode_clips(clips, encoder="ruler+whisper-base")
    for found, level, whisper in zip(
        fused_clips, encode_clips(clips, encoder="ruler"), encode_clips(clips), strict=True
    ):
        np.testing.assert_array_equal(found, np.concatenate([level, whisper], axis=1))


def test_windows_of_another_rate_join_without_a_trace(with_ruler, write_wav):
    """Over 60 s, and three windows, the rows follow a slow swell sample by sample."""
    time = np.arange(60 * 16_000) / 16_000
    swell = 0.5 + 0.4 * np.sin(2 * np.pi * 0.25 * time)
    rows = extract_content(write_wav(swell, 16_000), encoder="ruler")[:, 0]
    np.testing.assert_allclose(rows[2:-2], swell[::320][2 : len(rows) - 2], atol=2e-3)


@pytest.mark.slow
def test_contentvec_depends_little_on_where_its_windows_are_cut(installed, write_wav):
    """Rows round a join differ no more from those of another cut than rows elsewhere."""
    rng = np.random.default_rng(3)
    voice = rng.normal(0, 0.1, 34 * 16_000) * np.repeat(rng.uniform(0.1, 1, 340), 1600)
    whole = extract_content(write_wav(voice, 16_000), encoder="contentvec-256").astype(np.float32)
    later = extract_content(write_wav(voice[4 * 16_000 :], 16_000), encoder="contentvec-256").astype(
        np.float32
    )
    difference = np.linalg.norm(whole[200:1600] - later[:1400], axis=1) / np.linalg.norm(
        whole[200:1600], axis=1
    )
    joins = difference[1030:1110]  # 24.6 s to 26.2 s of the whole
    assert np.median(joins) < 1.5 * np.median(difference[100:1000]) + 0.05


def test_encoders_open_a_single_time(monkeypatch, write_wav):
    loads = []
    real = type(BASE).open
    monkeypatch.setattr(type(BASE), "open", lambda self, **how: loads.append(self.NAME) or real(self, **how))
    warm.drop()
    for _ in range(2):
        extract_content(write_wav(np.ones(2000)))
    assert loads == ["whisper-base"]
    assert encoders_of("whisper-base") == (BASE,)
