"""VITS voices are trained: it learns, is taken up to the bit, sings, and goes out to the programs of its family."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_vits import WIDTH, profile, run_tiny_vits, tones, trainer

from covermaker.errors import UsageError
from covermaker.graph.events import Event
from covermaker.training.audition import promote
from covermaker.training.checkpoint import load_latest
from covermaker.training.dataset import Dataset
from covermaker.training.give_out import give_out_training
from covermaker.training.history import read_history
from covermaker.training.loop import AstrayError
from covermaker.training.machine import pieces_for_memory
from covermaker.training.profiles import PROFILES
from covermaker.training.vits_base import Base, base_files
from covermaker.training.vits_shapes import vits_config
from covermaker.training.vits_trainer import cut_bytes
from covermaker.voices.card import read_card
from covermaker.voices.community.give_out import give_out
from covermaker.voices.community.take_in import Wishes, take_in
from covermaker.voices.index_ivf import IvfIndex
from covermaker.voices.voice import Voice

READING = "contentvec-768l12"


def wide(dataset: Dataset) -> Dataset:
    """Give content the width that the programs know."""
    examples = [
        replace(one, contents=tuple(np.pad(rows, ((0, 0), (0, 768 - WIDTH))) for rows in one.contents))
        for one in dataset.examples
    ]
    return Dataset(examples, sample_rate=100 * dataset.hop_samples, clip_frames=dataset.clip_frames)


def sing(voice: Voice, speaker: int = 0) -> np.ndarray:
    singer = voice.synthesizer()
    content = np.zeros((60, singer.content_dim), np.float32)
    content[:, 0] = 1.0
    pitch = singer.pitch(np.full(60, 220.0))
    return singer.render(content, pitch, np.full(60, -20.0), first_frame=0, seed=1, speaker=speaker)


def assert_same_tensors(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", ["rvc-32k", "sovits"])
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


def test_a_run_in_two_halves_equals_a_whole_one(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(event: Event) -> None:
        if type(event).__name__ == "TrainingScored" and event.step == 3:  # type: ignore[attr-defined]
            raise Enough

    wanted = profile()
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
    cuts = 4 * 60 / 40  # four takes of 60 frames, in cuts of 40
    assert learning.batches.cuts == pytest.approx(cuts)
    rates = []
    for _ in range(7):
        rates.append(learning.rate())
        learning.advance()
        assert {group["lr"] for group in learning.critics_optimiser.param_groups} == {rates[-1]}
    assert rates == pytest.approx([1e-4] * 3 + [1e-4 * 0.999875] * 3 + [1e-4 * 0.999875**2])
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


def test_what_goes_on_overflowing_ends_it() -> None:
    learning = trainer(profile(half="float16", steps=99), half=True)
    for example in learning.dataset.examples:
        example.target[:] = np.nan

    def go_on() -> None:
        for _ in range(99):
            learning.advance()

    with pytest.raises(AstrayError, match="the mel loss is nan"):
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
    silent = ~drawn.content.any(axis=(1, 2))
    assert set(drawn.speaker[silent]) == {0, 1}
    assert not drawn.sound[silent].any()
    assert not drawn.sounding[silent].any()
    # Two cuts of 40 frames each, beside eight takes of 60.
    assert silent.mean() == pytest.approx(4 * 40 / (4 * 40 + 8 * 60), abs=0.08)


@pytest.mark.parametrize(("name", "program"), [("rvc-32k", "rvc"), ("sovits", "sovits")])
def test_what_goes_out_comes_back_with_the_same_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, program: str
) -> None:
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    wanted = profile(name, steps=2)
    run_tiny_vits(tmp_path / "own", wanted, dataset=wide(tones(wanted.vits.sample_rate)), encoder=READING)
    voice = Voice.open(tmp_path / "own")
    assert voice.card.network.kind == "vits"
    assert voice.card.content.encoder == READING
    assert voice.card.index is not None
    index = IvfIndex.read(voice.folder / voice.card.index.file)
    assert index.width == 768
    assert len(index) == 4 * 30

    done = give_out(voice, program, tmp_path / "out")
    again = Voice.open(take_in(Wishes(done.files[0], name="again")).folder)
    assert np.array_equal(sing(voice), sing(again))

    # And what its program trains on: the same network, and here the same to begin with.
    files = give_out_training(voice, program, tmp_path / "training")
    assert [file.name for file in files[:2]] == ["G_2.pth", "D_2.pth"]
    network = torch.load(files[0], weights_only=True)
    assert sorted(network) == ["iteration", "learning_rate", "model", "optimizer"]
    assert any(name.startswith("enc_q.") for name in network["model"])
    config = vits_config(wanted.vits, 768, 1)
    assert base_files([str(file) for file in files[:2]], config) == files[:2]
    learning = load_latest(voice.folder / "training" / "checkpoints")
    assert learning is not None
    begun = trainer(wanted, dataset=wide(tones(wanted.vits.sample_rate)), base=files[:2])
    begun._invite_critics()
    for part, own in (("weights", begun.network), ("critics", begun.critics)):
        assert_same_tensors(learning.part(part), dict(own.state_dict()))
    # An optimiser takes the moments of the file, each for its own tensor.
    parameters = [torch.nn.Parameter(value) for value in network["model"].values()]
    optimiser = torch.optim.AdamW(parameters)
    optimiser.load_state_dict(network["optimizer"])
    assert all(state["exp_avg"].shape == p.shape for p, state in optimiser.state.items())
    with pytest.raises(UsageError, match="is there already"):
        give_out_training(voice, program, tmp_path / "training")


def test_a_voice_on_another_encoder_stays_here(tmp_path: Path) -> None:
    run_tiny_vits(tmp_path, profile(steps=1, saves=1), encoder="whisper-base")
    voice = Voice.open(tmp_path)
    assert np.isfinite(sing(voice)).all()
    for give in (give_out, give_out_training):
        with pytest.raises(UsageError, match="content encoder 'whisper-base', which RVC has not"):
            give(voice, "rvc", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_save_can_be_promoted(tmp_path: Path) -> None:
    run_tiny_vits(tmp_path, profile(steps=6, saves=2))
    now = read_card(tmp_path)
    assert now.training["epochs"] == 2
    card = promote(tmp_path, 3 if now.training["step"] == 6 else 6)
    assert card.network.kind == "vits"
    assert card.weights != now.weights
    assert card.training["epochs"] == (1 if card.training["step"] == 3 else 2)
    assert np.isfinite(sing(Voice.open(tmp_path))).all()


def test_a_pretrained_base_of_another_network_is_refused(tmp_path: Path) -> None:
    wanted = profile(steps=1, saves=1)
    run_tiny_vits(tmp_path / "own", wanted, dataset=wide(tones()), encoder=READING)
    voice = Voice.open(tmp_path / "own")
    network, critics = give_out_training(voice, "rvc", tmp_path / "out")[:2]
    config = vits_config(wanted.vits, 768, 1)
    finished = give_out(voice, "rvc", tmp_path / "small").files[0]
    with pytest.raises(Exception, match="is a finished voice: it has no posterior encoder"):
        base_files([str(finished)], config)
    with pytest.raises(UsageError, match="two files of the same kind"):
        base_files([str(critics), str(critics)], config)
    with pytest.raises(Exception, match=r"is of another network: its tensor 'enc_p\.emb_phone\.weight'"):
        base_files([str(network)], vits_config(wanted.vits, 256, 1))
    (tmp_path / "bad.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(Exception, match="no checkpoint that can be read"):
        base_files([str(tmp_path / "bad.pth")], config)
    with pytest.raises(Exception, match=r"nowhere\.pth cannot be read"):
        base_files([str(tmp_path / "nowhere.pth")], config)
    with pytest.raises(Exception, match="is of another network"):
        Base([critics]).give_critics(trainer(profile(shape={"critics_channels": 64}))._make_critics()[0])


def test_a_batch_in_parts_has_nearly_the_same_gradients() -> None:
    whole, parts = (trainer(profile(batch_size=4)) for _ in range(2))
    parts.pieces = 2
    found = []
    for one in (whole, parts):
        one.critics = None
        losses = one._in_pieces(one._draw())
        found.append(
            (losses, torch.cat([p.grad.flatten() for p in one.network.parameters() if p.grad is not None]))
        )
    (a, first), (b, second) = found
    assert a.keys() == b.keys()
    assert torch.nn.functional.cosine_similarity(first, second, dim=0) > 0.99


def test_the_full_size_asks_for_memory_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    from covermaker.training import machine

    monkeypatch.setattr(machine, "free_memory_bytes", lambda device: int(4e9))
    shape = PROFILES["rvc"].vits
    assert pieces_for_memory(cut_bytes(vits_config(shape, 768, 1), shape), 8, "cuda") == 2


@pytest.mark.gpu
@pytest.mark.parametrize("half", ["off", "on", "float16"])
def test_on_a_gpu(half: str) -> None:
    learning = trainer(profile(half=half, steps=20), half=half != "off", device="cuda")
    reports = [learning.advance() for _ in range(20)]
    assert reports[-1].parts["mel"] < reports[0].parts["mel"]
