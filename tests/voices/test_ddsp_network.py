"""The DDSP singer: pitch, level, bands, chunks, and what a damaged file says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from covermaker.errors import ProjectError, WeightsError
from covermaker.voices.networks.base import FRAME_RATE, NETWORKS, phase_curve, voiced_edges

torch = pytest.importorskip("torch")

from covermaker.voices.networks.ddsp import DdspSynthesizer, load_synthesizer  # noqa: E402
from covermaker.voices.networks.ddsp_config import DdspConfig  # noqa: E402
from covermaker.voices.networks.ddsp_network import DdspNetwork  # noqa: E402
from covermaker.voices.networks.ddsp_signal import hop_noise, pulse_train  # noqa: E402

SMALL = DdspConfig(content_dim=16, hidden=24, inner=32, dilations=(1, 2), memory_rows=12)


def lively_network(config: DdspConfig = SMALL) -> DdspNetwork:
    """A network whose output depends on everything it reads: random weights in every layer."""
    torch.manual_seed(5)
    network = DdspNetwork(config)
    with torch.no_grad():
        for block in network.blocks:
            torch.nn.init.normal_(block.back.weight, std=0.2)
        torch.nn.init.normal_(network.out.weight, std=0.1)
        torch.nn.init.normal_(network.memory)
    return network


def features(frames: int, *, config: DdspConfig = SMALL, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    f0_hz = 220 * 2 ** (np.sin(np.arange(frames) / 40) / 2)
    f0_hz[(np.arange(frames) % 60) > 45] = 0.0
    return {
        "content": rng.normal(size=(frames, config.content_dim)).astype(np.float32),
        "f0_hz": f0_hz,
        "loudness_db": -20 + 10 * np.sin(np.arange(frames) / 13),
    }


def sing(
    singer: DdspSynthesizer, given: dict[str, np.ndarray], start: int = 0, stop: int | None = None
) -> np.ndarray:
    stop = len(given["f0_hz"]) if stop is None else stop
    pitch = singer.pitch(given["f0_hz"]).part(start, stop)
    return singer.render(
        given["content"][start:stop], pitch, given["loudness_db"][start:stop], first_frame=start, seed=7
    )


def test_what_is_kept_is_a_cut_of_all() -> None:
    singer, given = DdspSynthesizer(lively_network()), features(40)
    pitch, whole = singer.pitch(given["f0_hz"]), sing(singer, given)
    for keep in (slice(None), slice(3, 17), slice(39, 40), slice(5, 5), slice(30, None)):
        kept = singer.render(given["content"], pitch, given["loudness_db"], first_frame=0, seed=7, keep=keep)
        assert np.array_equal(kept, whole.reshape(40, -1)[keep].ravel())


def test_the_registry_knows_it() -> None:
    assert NETWORKS.load("ddsp") is load_synthesizer


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 101])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_length_is_frames_times_hop(frames: int, rate: int) -> None:
    config = DdspConfig(
        sample_rate=rate,
        content_dim=16,
        hidden=24,
        inner=32,
        dilations=(1,),
        harmonic_fft=2048,
        noise_fft=2048,
    )
    sound = sing(DdspSynthesizer(lively_network(config)), features(frames, config=config))
    assert sound.shape == (frames * rate // FRAME_RATE,)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()


@pytest.mark.parametrize("level_frames", [1, 21])
@pytest.mark.parametrize(("start", "stop"), [(0, 80), (37, 140), (199, 300)])
def test_the_middle_of_a_chunk_equals_the_whole(start: int, stop: int, level_frames: int) -> None:
    singer = DdspSynthesizer(lively_network(replace(SMALL, level_frames=level_frames)))
    given = features(300)
    whole, chunk = sing(singer, given), sing(singer, given, start, stop)
    context = singer.context_frames
    first = 0 if start == 0 else context
    last = (stop - start) if stop == 300 else (stop - start) - context
    hop = singer.hop_samples
    ours = chunk[first * hop : last * hop]
    theirs = whole[(start + first) * hop : (start + last) * hop]
    assert np.abs(whole).max() > 1e-3
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(whole).max()


def test_the_context_is_not_stated_larger_than_needed_by_much() -> None:
    """One frame changed at the centre moves the sound at most `context_frames` away, and some of that far."""
    singer = DdspSynthesizer(lively_network())
    given = features(101)
    changed = {**given, "content": given["content"].copy()}
    changed["content"][50] += 1.0
    moved = np.flatnonzero(np.abs(sing(singer, given) - sing(singer, changed)) > 1e-7) / singer.hop_samples
    assert 50 - moved.min() <= singer.context_frames
    assert moved.max() - 50 <= singer.context_frames
    assert 50 - moved.min() >= sum(SMALL.dilations)


def test_a_second_run_is_bit_identical_and_another_seed_is_not() -> None:
    singer, given = DdspSynthesizer(lively_network()), features(60)
    assert np.array_equal(sing(singer, given), sing(singer, given))
    other = singer.render(
        given["content"], singer.pitch(given["f0_hz"]), given["loudness_db"], first_frame=0, seed=8
    )
    assert not np.array_equal(sing(singer, given), other)


def test_six_db_more_in_is_six_db_more_out_where_the_network_is_level_blind() -> None:
    network = lively_network()
    with torch.no_grad():
        network.curves_in.weight[:, 2] = 0.0
    singer, given = DdspSynthesizer(network), features(80)
    louder = {**given, "loudness_db": given["loudness_db"] + 6.0}
    ratio = sing(singer, louder) / np.where(sing(singer, given) == 0, 1, sing(singer, given))
    assert 20 * np.log10(np.median(ratio)) == pytest.approx(6.0, abs=0.01)


def test_the_slow_level_is_that_of_the_mean_power() -> None:
    network = DdspNetwork(replace(SMALL, level_frames=21))
    level_db = torch.full((1, 100), -30.0)
    assert torch.allclose(network.slow_level(level_db), level_db, atol=1e-3)
    level_db[:, 50] = 0.0  # one frame of 30 dB more: its share of the window, which is 1 / 11 at the middle
    slow_db = network.slow_level(level_db)[0]
    assert float(slow_db[50]) == pytest.approx(10 * np.log10((1 + 10 * 1e-3) / 11), abs=0.05)
    assert torch.allclose(slow_db[:40], level_db[0, :40], atol=1e-3)
    assert float((slow_db[40:61] - slow_db[40:61].flip(0)).abs().max()) < 1e-3
    unchanged = DdspNetwork(SMALL).slow_level(level_db)
    assert torch.equal(unchanged, level_db)


def test_silence_in_is_silence_out() -> None:
    singer, given = DdspSynthesizer(lively_network()), features(80)
    quiet = {**given, "loudness_db": np.full(80, -120.0)}
    assert np.abs(sing(singer, quiet)).max() < 10 ** (-70 / 20)


@pytest.mark.parametrize("f0_hz", [70.0, 146.83, 440.0, 987.77])
def test_the_pulse_train_sings_its_pitch_without_aliases(f0_hz: float) -> None:
    rate, hop, frames = 16_000, 160, 200
    curve = np.full(frames, f0_hz)
    left, right = (torch.tensor(side[None], dtype=torch.float32) for side in voiced_edges(curve))
    phase = torch.tensor((phase_curve(curve) % 1.0)[None], dtype=torch.float32)
    pulses = pulse_train(left, right, phase, rate, hop)[0].numpy().astype(np.float64)
    assert np.mean(pulses**2) == pytest.approx(1.0, rel=0.15)  # unit power at any pitch
    spectrum = np.abs(np.fft.rfft(pulses * np.blackman(len(pulses)))) ** 2
    hz = np.fft.rfftfreq(len(pulses), 1 / rate)
    away = np.abs(hz - f0_hz * np.round(hz / f0_hz)) > 4.0
    assert 10 * np.log10(spectrum[away].sum() / spectrum.sum()) < -55
    peak = hz[np.argmax(np.where(np.abs(hz - f0_hz) < 20, spectrum, 0))]
    assert 1200 * np.log2(peak / f0_hz) == pytest.approx(0, abs=1200 * np.log2(1 + 0.5 / f0_hz) + 1)


def test_a_glide_has_no_jumps() -> None:
    curve = np.geomspace(100, 700, 300)
    left, right = (torch.tensor(side[None], dtype=torch.float32) for side in voiced_edges(curve))
    phase = torch.tensor((phase_curve(curve) % 1.0)[None], dtype=torch.float32)
    # One harmonic per pulse would be enough: the phase at each hop's end meets the next hop's start.
    ends = phase + 0.005 * (left + right)
    step = (ends[0, :-1] - phase[0, 1:] + 0.5) % 1.0 - 0.5
    assert step.abs().max() < 1e-5
    assert torch.isfinite(pulse_train(left, right, phase, 16_000, 160)).all()


def test_phase_holds_through_silence_and_notes_keep_their_pitch_at_the_edges() -> None:
    curve = np.array([0, 0, 200, 200, 0, 0, 0, 400, 0.0])
    left, right = voiced_edges(curve)
    assert left.tolist() == [0, 200, 200, 200, 0, 0, 400, 400, 0]
    assert right.tolist() == [0, 200, 200, 200, 0, 0, 400, 400, 0]
    assert np.allclose(phase_curve(curve), [0, 0, 2, 4, 6, 6, 6, 10, 14])
    assert phase_curve(np.zeros(0)).shape == (0,)


def test_phase_stays_exact_over_an_hour() -> None:
    curve = np.full(360_001, 220.1)
    assert phase_curve(curve)[-1] == pytest.approx(220.1 * 3600, abs=1e-5)


def test_noise_is_white_and_a_matter_of_position() -> None:
    whole = hop_noise(3, 0, 400, 160)
    assert np.array_equal(hop_noise(3, 250, 20, 160), whole[250 * 160 : 270 * 160])
    assert not np.array_equal(hop_noise(4, 0, 400, 160), whole)
    assert whole.mean() == pytest.approx(0, abs=0.02)
    assert whole.std() == pytest.approx(1, abs=0.01)
    lagged = [np.mean(whole[lag:] * whole[:-lag]) for lag in (1, 2, 3, 160)]
    assert np.abs(lagged).max() < 0.02


def test_flat_filters_pass_noise_and_pulses_at_the_stated_level_and_time() -> None:
    """Band gains of 0 neper: the hops overlap to a constant and nothing is delayed."""
    network = DdspNetwork(DdspConfig(content_dim=16))
    frames = 100
    flat = {"harmonic": torch.zeros(1, 96, frames), "noise": torch.zeros(1, 64, frames)}
    noise = torch.tensor(hop_noise(1, 0, frames, 160)[None])
    still = torch.zeros(1, frames)
    with torch.no_grad():
        passed = network.signal(flat, still, still, still, noise)
        assert torch.allclose(passed, noise, atol=1e-4)
        tone = torch.full((1, frames), 220.0)
        phase = torch.tensor((phase_curve(np.full(frames, 220.0)) % 1.0)[None], dtype=torch.float32)
        voiced = network.signal(flat, tone, tone, phase, torch.zeros_like(noise))
        # Pulses come 1.25 ms early on purpose: a voice's filter, unlike this flat one, rings that late.
        assert torch.allclose(
            voiced[:, :-160], pulse_train(tone, tone, phase, 16_000, 160)[:, 20:-140], atol=1e-3
        )


def test_content_is_drawn_to_what_it_resembles_and_not_in_jumps() -> None:
    network = lively_network()
    known = network.memory[3][None, None]
    assert torch.allclose(network.remembered(known * 1.7), known, atol=0.15 * float(known.norm()))
    # Half-way between two rows the answer passes smoothly from one to the other: no switch for rounding to throw.
    steps = torch.linspace(0, 1, 400)[:, None]
    path = network.memory[3] * (1 - steps) + network.memory[7] * steps
    answers = network.remembered(path[None])[0]
    assert (answers[1:] - answers[:-1]).norm(dim=1).max() < 0.1 * (answers[0] - answers[-1]).norm()


def test_without_recall_the_memory_does_not_matter() -> None:
    network = lively_network()
    given = [
        torch.tensor(features(20)[k][None], dtype=torch.float32) for k in ("content", "f0_hz", "loudness_db")
    ]
    who = torch.zeros(1, dtype=torch.long)
    with torch.no_grad():
        before, drawn = network.controls(*given, who, recall=0.0), network.controls(*given, who)
        network.memory.mul_(-1)
        after, other = network.controls(*given, who, recall=0.0), network.controls(*given, who)
    assert torch.equal(before["harmonic"], after["harmonic"])
    assert not torch.allclose(drawn["harmonic"], other["harmonic"])


def test_a_batch_equals_its_items() -> None:
    network = lively_network().eval()
    items = [features(40, seed=s) for s in range(3)]
    stacked = [
        torch.tensor(np.stack([i[k] for i in items]), dtype=torch.float32)
        for k in ("content", "f0_hz", "loudness_db")
    ]
    with torch.no_grad():
        together = network.controls(*stacked, torch.zeros(3, dtype=torch.long))
        for index in range(3):
            alone = network.controls(
                *(x[index : index + 1] for x in stacked), torch.zeros(1, dtype=torch.long)
            )
            assert torch.allclose(alone["harmonic"][0], together["harmonic"][index], atol=1e-4)


def test_a_card_builds_what_was_saved(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    network = lively_network()
    path = tmp_path / "voice.safetensors"
    save_file(network.state_dict(), path)
    singer = load_synthesizer(SMALL.to_mapping(), path)
    assert np.array_equal(sing(singer, features(30)), sing(DdspSynthesizer(network), features(30)))
    with pytest.raises(WeightsError, match="does not fit"):
        load_synthesizer({**SMALL.to_mapping(), "hidden": 32}, path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WeightsError, match="cannot be read"):
        load_synthesizer(SMALL.to_mapping(), path)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_synthesizer(SMALL.to_mapping(), tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hiden": 3}, "unknown key 'hiden'"),
        ({"hidden": 0}, "hidden must be whole"),
        ({"hidden": "big"}, "hidden must be whole"),
        ({"dilations": []}, "dilations must be whole"),
        ({"dilations": [1, True]}, "dilations must be whole"),
        ({"level_frames": 4}, "level_frames must be odd"),
        ({"sample_rate": 44_100}, "needs longer filters"),
        ({"sample_rate": 16_050}, "needs longer filters"),
    ],
)
def test_a_bad_table_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        DdspConfig.from_mapping(change)
