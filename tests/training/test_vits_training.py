"""VITS voices are trained: it learns, is taken up to the bit, sings, and goes out to the programs of its family."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_vits import profile, run_tiny_vits, tones, trainer

from covermaker.errors import UsageError
from covermaker.graph.events import Event
from covermaker.training.audition import promote
from covermaker.training.checkpoint import load_latest
from covermaker.training.give_out import give_out_training
from covermaker.training.history import read_history
from covermaker.training.loop import AstrayError
from covermaker.training.vits_batch import VitsDraw
from covermaker.voices.card import read_card
from covermaker.voices.community.give_out import give_out
from covermaker.voices.voice import Voice


def sing(voice: Voice, speaker: int = 0) -> np.ndarray:
    singer = voice.synthesizer()
    content = np.zeros((60, singer.content_dim), np.float32)
    content[:, 0] = 1.0
    pitch = singer.pitch(np.full(60, 220.0))
    return singer.render(content, pitch, np.full(60, -20.0), first_frame=0, seed=1, speaker=speaker)


def assert_same_tensors(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", ["rvc-32k", pytest.param("sovits", marks=pytest.mark.slow)])
def test_the_loss_falls(name: str) -> None:
    learning = trainer(profile(name, steps=40, batch_size=4))
    drawn = learning.batches.draw(8, np.random.default_rng(9))

    def losses() -> dict[str, float]:
        with torch.no_grad():
            return {part: float(value) for part, value in learning._sung(drawn)[2].items()}

    before = losses()
    reports = [learning.advance() for _ in range(40)]
    after = losses()
    assert after["mel"] < 0.9 * before["mel"]
    assert after["latent"] < 0.1 * before["latent"]
    assert ("melody" in after) == (name == "sovits")
    assert after.get("melody", 0.0) <= 0.1 * before.get("melody", 0.0)
    assert all(report.measured["gradient_norm"] > 0 for report in reports)
    # The discriminators learn, too.
    assert reports[-1].measured["critics"] < reports[0].measured["critics"]


def test_so_vits_forgets_a_tenth_in_training_and_nothing_when_it_sings() -> None:
    learning = trainer(profile("sovits", batch_size=4))
    drawn = learning.batches.draw(4, np.random.default_rng(9))
    other = replace(drawn, forgetting=drawn.forgetting + 1)

    def latent(draw: VitsDraw) -> float:
        with torch.no_grad():
            return float(learning._sung(draw)[2]["latent"])

    state = torch.get_rng_state()
    assert latent(drawn) == latent(drawn)  # a batch in parts is sung twice, and must be the same
    assert latent(drawn) != latent(other)
    assert torch.equal(torch.get_rng_state(), state)
    places = [layer for layer in learning.network.modules() if isinstance(layer, torch.nn.Dropout)]
    # Of the encoder's one layer and the pitch decoder's: in attention, between the convolutions, and behind both.
    assert [place.p for place in places] == [0.1] * 6
    learning.network.eval()
    assert latent(drawn) == latent(other)


def test_rvc_forgets_nothing() -> None:
    learning = trainer(profile(batch_size=2))
    assert {one.p for one in learning.network.modules() if isinstance(one, torch.nn.Dropout)} == {0.0}


@pytest.mark.parametrize("name", ["rvc-32k", "sovits"])
def test_a_run_in_two_halves_equals_a_whole_one(name: str, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(event: Event) -> None:
        if type(event).__name__ == "TrainingScored" and event.step == 3:  # type: ignore[attr-defined]
            raise Enough

    wanted = profile(name)
    run_tiny_vits(tmp_path / "whole", wanted)
    with pytest.raises(Enough):
        run_tiny_vits(tmp_path / "torn", wanted, listener=stop)
    run_tiny_vits(tmp_path / "torn", wanted, resume=True)
    whole, torn = (load_latest(tmp_path / name / "training" / "checkpoints") for name in ("whole", "torn"))
    assert whole is not None
    assert torn is not None
    parts = {name.split("/")[0] for name in whole.tensors}
    assert parts == {
        "weights",
        "optimiser",
        "critics",
        "critics_optimiser",
    }  # no average: the network comes out
    assert_same_tensors(whole.tensors, torn.tensors)
    assert Voice.open(tmp_path / "whole").card.weights == Voice.open(tmp_path / "torn").card.weights
    lines = read_history(tmp_path / "whole" / "training")
    assert {"mel", "latent", "adversarial", "features", "critics", "gradient_norm"} <= lines[-1].keys()


def test_the_rate_falls_by_epochs_and_the_critics_have_the_same() -> None:
    wanted = profile(peak_rate=1e-4, steps=20)
    learning = trainer(wanted)
    # Four takes of 60 frames in cuts of 40, and two cuts of silence beside them.
    assert learning.batches.cuts == pytest.approx(4 * 60 / 40 + 2)
    rates = []
    for _ in range(9):
        rates.append(learning.rate())
        learning.advance()
        assert {group["lr"] for group in learning.critics_optimiser.param_groups} == {rates[-1]}
    assert rates == pytest.approx([1e-4] * 4 + [1e-4 * 0.999875] * 4 + [1e-4 * 0.999875**2])
    assert learning.epoch == 2


@pytest.mark.parametrize("half", ["on", "float16"])
def test_half_precision_learns_and_is_taken_up(half: str) -> None:
    wanted = profile(half=half, steps=4)
    first = trainer(wanted, half=True)
    reports = [first.advance() for _ in range(3)]
    assert all(np.isfinite(report.loss) for report in reports)
    assert all(p.dtype == torch.float32 for p in first.network.parameters())
    kept = first.checkpoint(first.random_states())
    second = trainer(wanted, half=True)
    second.restore(kept)
    scales = [scaler["scale"] for scaler in kept.state["scalers"] if scaler]
    assert len(scales) == (2 if half == "float16" else 0)
    first.advance(), second.advance()
    assert_same_tensors(first.network.state_dict(), second.network.state_dict())


def test_a_gradient_that_overflows_costs_a_step_and_halves_the_scale() -> None:
    learning = trainer(profile(half="float16"), half=True)
    learning.advance()
    before = {name: value.clone() for name, value in learning.network.state_dict().items()}
    learning._scalers[0].load_state_dict({**learning._scalers[0].state_dict(), "scale": 2.0**126})
    learning.advance()
    assert_same_tensors(before, learning.network.state_dict())
    assert learning._scalers[0].get_scale() == 2.0**125


@pytest.mark.slow
def test_what_goes_on_overflowing_ends_it() -> None:
    learning = trainer(profile(half="float16", steps=99), half=True)
    for example in learning.dataset.examples:
        example.target[:] = np.nan

    def go_on() -> None:
        for _ in range(99):
            learning.advance()

    with pytest.raises(AstrayError, match="the gradient of the discriminators is no number"):
        go_on()
    # From 65536 down to a ten-thousandth, a half at a time, beside a few steps of nothing but silence.
    assert 30 <= learning.step < 60
    assert all(bool(torch.isfinite(value).all()) for value in learning.network.state_dict().values())


def test_several_singers_have_rows_of_their_own(tmp_path: Path) -> None:
    run_tiny_vits(tmp_path, profile(steps=30, peak_rate=5e-3), singers=("anna", "ben"))
    card = read_card(tmp_path)
    assert card.singers == ["anna", "ben"]
    voice = Voice.open(tmp_path)
    anna, ben = sing(voice, 0), sing(voice, 1)
    assert len(anna) == 60 * 320
    assert np.isfinite(anna).all()
    assert not np.allclose(anna, ben, atol=1e-5)


def test_silence_is_among_what_every_singer_is_taught() -> None:
    dataset = tones(speakers=2)
    learning = trainer(dataset=dataset)
    drawn = learning.batches.draw(200, np.random.default_rng(0))
    silent = ~drawn.level.any(axis=1)
    assert set(drawn.speaker[silent]) == {0, 1}
    assert not drawn.sound[silent].any()
    assert not drawn.sounding[silent].any()
    # What is told there is what the encoder reads in silence, from any of its rows on.
    rows = drawn.content[silent]
    assert np.array_equal(rows[..., 2], np.ones((len(rows), 40)))
    assert set(np.unique(rows[:, 2:, 3] - rows[:, :-2, 3])) == {1.0}  # each row is held for two frames
    assert len(np.unique(rows[:, 0, 3])) > 9
    # Two cuts of 40 frames each, beside eight takes of 60.
    assert silent.mean() == pytest.approx(4 * 40 / (4 * 40 + 8 * 60), abs=0.08)


def test_a_voice_on_another_encoder_stays_here(tmp_path: Path) -> None:
    run_tiny_vits(tmp_path, profile(steps=1, saves=1), encoder="whisper-base")
    voice = Voice.open(tmp_path)
    assert np.isfinite(sing(voice)).all()
    for give in (give_out, give_out_training):
        with pytest.raises(UsageError, match="content encoder 'whisper-base', which RVC has not"):
            give(voice, "rvc", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_save_can_be_promoted(tmp_path: Path) -> None:
    run_tiny_vits(tmp_path, profile(steps=8, saves=2))
    now = read_card(tmp_path)
    assert now.training["epochs"] == (1 if now.training["step"] == 4 else 2)
    card = promote(tmp_path, 4 if now.training["step"] == 8 else 8)
    assert card.network.kind == "vits"
    assert card.weights != now.weights
    assert card.training["epochs"] == (1 if card.training["step"] == 4 else 2)
    assert np.isfinite(sing(Voice.open(tmp_path))).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("half", ["off", "on", "float16"])
def test_on_a_gpu(half: str) -> None:
    learning = trainer(profile(half=half, steps=20), half=half != "off", device="cuda")
    reports = [learning.advance() for _ in range(20)]
    assert reports[-1].parts["mel"] < reports[0].parts["mel"]
