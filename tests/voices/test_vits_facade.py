"""A VITS voice behind the seam: lengths, chunks, what is kept, noise, singers, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from vits_voices import RVC, SOVITS, features, lively  # noqa: E402

from covermaker.errors import ProjectError, WeightsError  # noqa: E402
from covermaker.voices.networks import vits  # noqa: E402
from covermaker.voices.networks.base import NETWORKS, SungPitch  # noqa: E402
from covermaker.voices.networks.vits import VitsSynthesizer, load_synthesizer  # noqa: E402
from covermaker.voices.networks.vits_clock import OwnFrames  # noqa: E402
from covermaker.voices.networks.vits_config import VitsConfig  # noqa: E402
from covermaker.voices.networks.vits_network import VitsNetwork, build_network  # noqa: E402
from covermaker.voices.networks.vits_pitch import fill_gaps  # noqa: E402
from covermaker.voices.networks.vits_source import sample_cycles  # noqa: E402

FAMILIES = pytest.mark.parametrize("config", [RVC, SOVITS], ids=["rvc", "sovits"])


def sing(singer: VitsSynthesizer, frames: int, start: int = 0, stop: int | None = None, **more) -> np.ndarray:
    """Sing a part of a song of `frames`."""
    stop = frames if stop is None else stop
    content, f0_hz, loudness_db = features(frames, singer.config)
    pitch = more.pop("pitch", singer.pitch(f0_hz)).part(start, stop)
    given = {"first_frame": start, "seed": 7, **more}
    return singer.render(content[start:stop], pitch, loudness_db[start:stop], **given)


def near_sighted(config: VitsConfig) -> VitsNetwork:
    """Return a network whose attention looks at the nearest frames only, as formula weights' does not."""
    network = lively(config)
    encoder = network.enc_p.encoder if config.family == "rvc" else network.enc_p.enc_
    with torch.no_grad():
        for layer in encoder.attn_layers:
            layer.conv_q.weight.zero_()
            layer.conv_q.bias.fill_(1.0)
            layer.emb_rel_k.fill_(40.0 / layer.emb_rel_k.shape[-1] ** 0.5)
    return network


def db(error: np.ndarray, sound: np.ndarray) -> float:
    return float(20 * np.log10(max(np.sqrt(np.mean(error**2)), 1e-12) / np.sqrt(np.mean(sound**2))))


def test_the_registry_knows_it() -> None:
    assert NETWORKS.load("vits") is load_synthesizer


@FAMILIES
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 7, 10, 101])
def test_length_is_frames_times_hop(config: VitsConfig, frames: int) -> None:
    singer = VitsSynthesizer(lively(config))
    for first in (0, 1, 6, 1001):
        content, f0_hz, loudness_db = features(frames, config)
        sound = singer.render(content, singer.pitch(f0_hz), loudness_db, first_frame=first, seed=1)
        assert sound.shape == (frames * config.sample_rate // 100,)
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
        assert not frames or sound.std() > 1e-3


@FAMILIES
@pytest.mark.parametrize("f0_hz", [0.0, 30.0, 1500.0])
def test_any_pitch_sings_finite_sound(config: VitsConfig, f0_hz: float) -> None:
    singer = VitsSynthesizer(lively(config))
    sound = sing(singer, 40, pitch=singer.pitch(np.full(40, f0_hz)))
    assert np.isfinite(sound).all()
    assert sound.std() > 1e-3


@FAMILIES
def test_what_is_kept_is_a_cut_of_all(config: VitsConfig) -> None:
    """Up to what float32 leaves of it: -100 dB."""
    singer = VitsSynthesizer(lively(config))
    whole = sing(singer, 120)
    hop = singer.hop_samples
    for keep in (slice(0, 120), slice(0, 1), slice(37, 38), slice(13, 91), slice(119, 120), slice(100, None)):
        kept, expected = sing(singer, 120, keep=keep), whole.reshape(120, hop)[keep].ravel()
        assert kept.shape == expected.shape
        assert db(kept - expected, whole) < -100
    assert sing(singer, 120, keep=slice(5, 5)).shape == (0,)


@pytest.mark.slow
@FAMILIES
def test_pieces_of_the_decoder_cannot_be_heard(config: VitsConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    singer = VitsSynthesizer(lively(config))
    whole = sing(singer, 150)
    monkeypatch.setattr(vits, "_PIECE_SECONDS", 0.07)
    assert db(sing(singer, 150) - whole, whole) < -100


@FAMILIES
@pytest.mark.parametrize(("start", "stop"), [(0, 201), (167, 388), (500, 901), (640, 741)])
def test_a_chunk_with_context_is_the_whole_song(config: VitsConfig, start: int, stop: int) -> None:
    """Noise, phase, own clock, flow and decoder do not know of chunks: what is left is below -100 dB.

    Attention looks at few frames here. One that looks everywhere, as formula weights' does, hears other things in a
    chunk than in the song; so it is at home too, where chunks are cut by pauses.
    """
    singer, frames = VitsSynthesizer(near_sighted(config)), 901
    whole = sing(singer, frames)
    context, hop = singer.context_frames, singer.hop_samples
    begin, end = max(0, start - context), min(frames, stop + context)
    part = sing(singer, frames, begin, end, keep=slice(start - begin, stop - begin))
    expected = whole[start * hop : stop * hop]
    assert db(part - expected, expected) < -100


@FAMILIES
def test_less_context_than_stated_would_be_heard(config: VitsConfig) -> None:
    """The test above is able to fail."""
    singer, hop = VitsSynthesizer(near_sighted(config)), config.sample_rate // 100
    expected = sing(singer, 300)[100 * hop : 200 * hop]
    assert db(sing(singer, 300, 98, 202, keep=slice(2, 102)) - expected, expected) > -60


@FAMILIES
def test_the_same_seed_sings_the_same_and_another_does_not(config: VitsConfig) -> None:
    singer = VitsSynthesizer(lively(config))
    assert np.array_equal(sing(singer, 30), sing(singer, 30))
    assert not np.allclose(sing(singer, 30), sing(singer, 30, seed=8), atol=1e-3)
    assert np.isfinite(sing(singer, 3, seed=2**200 + 1)).all()


@FAMILIES
def test_the_noise_scale_is_that_of_the_latent(config: VitsConfig) -> None:
    singer = VitsSynthesizer(lively(config))
    plain = sing(singer, 30)
    assert np.array_equal(plain, sing(singer, 30, noise_scale=config.noise_scale))
    still, little, much = (sing(singer, 30, noise_scale=scale) for scale in (0.0, 0.1, 1.0))
    assert 0 < np.abs(little - still).mean() < np.abs(much - still).mean()


@FAMILIES
def test_singers_are_chosen_and_blended(config: VitsConfig) -> None:
    singer = VitsSynthesizer(lively(config))
    first, second, both = (sing(singer, 20, speaker=who) for who in (0, 1, [1.0, 1.0, 0.0]))
    assert np.allclose(sing(singer, 20, speaker=[0.0, 3.0, 0.0]), second, atol=1e-5)
    assert not np.allclose(first, second, atol=1e-2)
    assert not np.allclose(both, first, atol=1e-2)
    assert not np.allclose(both, second, atol=1e-2)
    # A card names the singers that were trained, its table has more rows.
    assert np.array_equal(sing(singer, 20, speaker=[1.0, 1.0]), both)


@FAMILIES
@pytest.mark.parametrize("speaker", [3, -1, [0.0, 0.0], [1.0, -0.5, 0.0], [1.0, 0.0, 0.0, 0.0]])
def test_singers_that_are_not_there_are_refused(config: VitsConfig, speaker: object) -> None:
    with pytest.raises(ProjectError, match="singer"):
        sing(VitsSynthesizer(lively(config)), 5, speaker=speaker)


@FAMILIES
def test_formants_are_not_moved_in_silence(config: VitsConfig) -> None:
    with pytest.raises(ProjectError, match="formants"):
        sing(VitsSynthesizer(lively(config)), 5, formant_ratio=1.1)


def test_a_pitch_keeps_its_gaps_for_rvc_and_not_for_sovits() -> None:
    _, f0_hz, _ = features(300, RVC)
    rvc, sovits = VitsSynthesizer(lively(RVC)).pitch(f0_hz), VitsSynthesizer(lively(SOVITS)).pitch(f0_hz)
    assert np.array_equal(rvc.f0_hz, f0_hz)
    assert np.array_equal(sovits.f0_hz, fill_gaps(f0_hz))
    assert np.array_equal(rvc.voiced, f0_hz > 0)
    assert np.array_equal(sovits.voiced, f0_hz > 0)
    # RVC's phase stands still where nothing is voiced, so-vits-svc's runs on.
    gap = slice(47, 58)
    assert not np.diff(rvc.phase_cycles[gap]).any()
    assert (np.diff(sovits.phase_cycles[gap]) > 0.5).all()


def test_voices_of_the_fork_read_pitch_as_the_fork_does() -> None:
    _, f0_hz, _ = features(300, SOVITS)
    fork = VitsSynthesizer(lively(replace(SOVITS, fork=True)))
    assert np.array_equal(fork.pitch(f0_hz).f0_hz, fill_gaps(f0_hz, early=True))
    # Above the last bin 4.1 falls into the first row of its table, the fork stays in the last.
    newer = VitsSynthesizer(lively(SOVITS))
    high, highest = np.full(20, 1099.0), np.full(20, 1105.0)
    for singer, is_same in ((fork, True), (newer, False)):
        bins = [singer._told(singer._own(0, 20), *told(singer, f0_hz)).bins for f0_hz in (high, highest)]
        assert bool((bins[0] == bins[1]).all()) == is_same


def told(singer: VitsSynthesizer, f0_hz: np.ndarray) -> tuple[np.ndarray, SungPitch, np.ndarray]:
    content, _, loudness_db = features(len(f0_hz), singer.config)
    return content, singer.pitch(f0_hz), loudness_db


@FAMILIES
def test_a_whole_song_is_in_tune_to_its_end(config: VitsConfig) -> None:
    singer = VitsSynthesizer(lively(config))
    phase = singer.pitch(np.full(3600 * 100, 220.1)).phase_cycles
    assert np.abs(phase - 220.1 * np.arange(3600 * 100) / 100).max() < 1e-4
    assert len(singer.pitch(np.zeros(0))) == 0


@FAMILIES
def test_a_note_is_held_over_chunks_that_are_sung_alone(
    config: VitsConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phase that reaches the source, sample by sample, is that of 250 Hz from the song's first sample on."""
    singer = VitsSynthesizer(lively(config))
    pitch, reached = singer.pitch(np.full(400, 250.0)), []

    def watched(f0_hz, cycles, *sizes):
        reached.append(sample_cycles(f0_hz, cycles, *sizes))
        return reached[-1]

    monkeypatch.setattr(vits, "sample_cycles", watched)
    for start, stop in ((0, 100), (173, 400)):
        sing(singer, 400, start, stop, pitch=pitch)
        own = OwnFrames(start, stop - start, singer.hop_samples, config.hop_samples)
        samples = own.first * config.hop_samples + 1 + np.arange(len(reached[-1]))
        off = reached[-1] - samples * 250.0 / config.sample_rate
        assert np.abs((off + 0.5) % 1.0 - 0.5).max() < 1e-6


def test_rvc_without_pitch_sings_what_is_said_alone() -> None:
    config = VitsConfig.from_mapping({**RVC.to_mapping(), "pitched": False})
    network = lively(config)
    assert not [
        name for name in network.state_dict() if "pitch" in name or "source" in name or "noise" in name
    ]
    singer = VitsSynthesizer(network)
    sound = sing(singer, 30)
    assert sound.shape == (30 * 160,)
    assert np.array_equal(sound, sing(singer, 30, pitch=singer.pitch(np.full(30, 500.0))))
    assert sound.std() > 1e-3


@pytest.mark.parametrize(("config", "hears"), [(RVC, False), (SOVITS, True)], ids=["rvc", "sovits"])
def test_sovits_hears_voicing_and_level_and_rvc_neither(config: VitsConfig, hears: bool) -> None:
    singer = VitsSynthesizer(lively(config))
    content, f0_hz, loudness_db = features(60, config)
    pitch = singer.pitch(f0_hz)
    all_voiced = SungPitch(pitch.f0_hz, np.ones(60, dtype=bool), pitch.phase_cycles)
    plain, loud, voiced = (
        singer.render(content, told, level, first_frame=0, seed=1)
        for told, level in ((pitch, loudness_db), (pitch, loudness_db + 6.0), (all_voiced, loudness_db))
    )
    assert np.allclose(plain, loud, atol=1e-3) != hears
    assert np.allclose(plain, voiced, atol=1e-3) != hears


def test_a_made_up_pitch_comes_back_on_the_feature_clock() -> None:
    singer = VitsSynthesizer(lively(SOVITS))
    content, f0_hz, loudness_db = features(80, SOVITS)
    for start, stop in ((0, 80), (13, 14), (40, 77)):
        pitch = singer.pitch(f0_hz).part(start, stop)
        guessed = singer.guess_f0(content[start:stop], pitch, loudness_db[start:stop], first_frame=start)
        assert guessed.shape == (stop - start,)
        assert np.isfinite(guessed).all()
        assert (guessed >= 0).all()
    heard = singer.pitch(f0_hz)
    again = singer.pitch(guessed, voiced=heard.voiced[40:77])
    assert np.array_equal(again.voiced, heard.voiced[40:77])
    assert singer.guess_f0(content[:0], heard.part(0, 0), loudness_db[:0]).shape == (0,)


def test_a_file_is_loaded_and_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "voice.safetensors"
    network = lively(RVC)
    save_file(network.state_dict(), path)
    singer = load_synthesizer(RVC.to_mapping(), path)
    assert np.array_equal(sing(singer, 20), sing(VitsSynthesizer(network), 20))
    assert not any(weight.requires_grad for weight in singer.network.parameters())
    for table, said in (
        ({**RVC.to_mapping(), "hidden": 32}, "does not fit the card's network"),
        ({**RVC.to_mapping(), "speakers": 4}, "does not fit the card's network"),
        (SOVITS.to_mapping(), "does not fit the card's network"),
    ):
        with pytest.raises(WeightsError, match=said) as refused:
            load_synthesizer(table, path)
        assert "\n" not in refused.value.message
    with pytest.raises(ProjectError, match="unknown key 'colour'"):
        load_synthesizer({"colour": 1}, path)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_synthesizer(RVC.to_mapping(), tmp_path / "none.safetensors")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="cannot be read"):
        load_synthesizer(RVC.to_mapping(), path)


def test_weights_in_half_precision_are_sung_in_float32(tmp_path: Path) -> None:
    path = tmp_path / "voice.safetensors"
    save_file({name: values.half() for name, values in lively(RVC).state_dict().items()}, path)
    singer = load_synthesizer(RVC.to_mapping(), path)
    assert {values.dtype for values in singer.network.state_dict().values()} == {torch.float32}
    assert np.isfinite(sing(singer, 10)).all()


@pytest.mark.parametrize("config", [RVC, SOVITS], ids=["rvc", "sovits"])
def test_where_the_source_is_silent_nothing_is_sung_nor_decoded(
    config: VitsConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    singer = VitsSynthesizer(lively(config))
    content, f0_hz, loudness_db = features(600, config)
    whole = singer.render(content, singer.pitch(f0_hz), loudness_db, first_frame=0, seed=3)
    loudness_db[200:400] = -120.0
    decoded = []
    decode = type(singer.network.dec).forward
    monkeypatch.setattr(
        type(singer.network.dec),
        "forward",
        lambda self, z, *more: decoded.append(z.shape[2]) or decode(self, z, *more),
    )
    pitch = singer.pitch(f0_hz)
    sound = singer.render(content, pitch, loudness_db, first_frame=0, seed=3)
    hop, rest = singer.hop_samples, 2 * config.hop_samples
    if not config.volume:  # the other is told the level
        np.testing.assert_allclose(sound[: 250 * hop - rest], whole[: 250 * hop - rest], atol=1e-6)
    assert not sound[250 * hop + rest : 350 * hop - rest].any()
    assert sound[: 250 * hop - rest].any()
    assert sound[350 * hop + rest :].any()
    assert np.abs(np.diff(sound[249 * hop : 252 * hop])).max() <= np.abs(np.diff(whole)).max()
    assert sum(decoded) < 0.9 * 600 * singer.config.frames_per_second / 100
    # Cut in the silence and at its border, with what a chunk is given beside it.
    for start, stop in ((0, 300), (240, 260), (300, 600)):
        begin, end = max(0, start - 100), min(600, stop + 100)
        part = singer.render(
            content[begin:end], pitch.part(begin, end), loudness_db[begin:end],
            first_frame=begin, seed=3, keep=slice(start - begin, stop - begin),
        )  # fmt: skip
        np.testing.assert_array_equal(part == 0.0, sound[start * hop : stop * hop] == 0.0)


def test_all_silence_is_silence() -> None:
    singer = VitsSynthesizer(lively(RVC))
    content, f0_hz, _ = features(50, RVC)
    sound = singer.render(content, singer.pitch(f0_hz), np.full(50, -120.0), first_frame=0, seed=3)
    assert sound.shape == (50 * singer.hop_samples,)
    assert not sound.any()


MEMORY = """
import json, sys
from pathlib import Path
import numpy as np, torch
from covermaker.voices.networks.vits import VitsSynthesizer
from covermaker.voices.networks.vits_config import VitsConfig
from covermaker.voices.networks.vits_network import build_network
config = VitsConfig.from_mapping(json.loads(sys.argv[1]))
singer = VitsSynthesizer(build_network(config))
pitch, frames = singer.pitch(np.full(6200, 220.0)), 6200
def peak():
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = peak()
singer.render(np.zeros((frames, 768), "f4"), pitch, np.zeros(frames), first_frame=0, seed=0, keep=slice(100, 800))
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads the peak of memory in /proc")
def test_a_minute_takes_less_than_a_gigabyte() -> None:
    """The largest RVC decoder; its pieces are alike, so two of them say what a minute takes."""
    table = VitsConfig(
        sample_rate=48_000, hop_samples=480, upsample_rates=(12, 10, 2, 2), upsample_kernels=(24, 20, 4, 4)
    ).to_mapping()
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, json.dumps(table)], capture_output=True, text=True, check=True
    )
    assert 0 < int(told.stdout) < 1_000_000_000


@pytest.mark.slow
def test_networks_of_full_size_sing_long_songs() -> None:
    network = build_network(VitsConfig())
    singer = VitsSynthesizer(network)
    content, f0_hz, loudness_db = features(1000, network.config)
    sound = singer.render(content, singer.pitch(f0_hz), loudness_db, first_frame=12345, seed=0)
    assert sound.shape == (400_000,)
    assert np.isfinite(sound).all()
