"""Training learns, repeats itself, and stops when told or when it must."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import SIZE, recipe, run_tiny, two_vowels

from covermaker.errors import ResourceError
from covermaker.graph.events import Event, Note
from covermaker.training import ddsp, machine, saving
from covermaker.training.character import network_config
from covermaker.training.checkpoint import load_latest, steps_kept
from covermaker.training.chronicle import Chronicle
from covermaker.training.crew import Crew
from covermaker.training.ddsp import DdspTrainer as Trainer
from covermaker.training.ddsp import cut_bytes
from covermaker.training.history import read_history
from covermaker.training.loop import AstrayError
from covermaker.training.machine import pieces_for_memory
from covermaker.training.profiles import PROFILES
from covermaker.voices.networks.ddsp import DdspSynthesizer
from covermaker.voices.networks.ddsp_config import DdspConfig
from covermaker.voices.networks.ddsp_network import DdspNetwork
from covermaker.voices.voice import Voice

CONFIG = network_config(16_000, 4, 1, SIZE)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trained(steps: int, *, seed: int = 1, **changes: object) -> Trainer:
    trainer = Trainer(CONFIG, two_vowels(), recipe(steps=steps, **changes), seed=seed)
    while trainer.fraction < 1.0:
        trainer.advance()
    return trainer


def test_it_learns_colour_and_level() -> None:
    trainer = trained(120)
    singer = DdspSynthesizer(trainer.average)
    for index in (0, 1):
        take = trainer.dataset.examples[index]
        content = np.repeat(take.contents[0], 2, axis=0).astype(np.float32)
        sung = singer.render(content, singer.pitch(take.f0_hz), take.loudness_db, first_frame=0, seed=1)
        inner = slice(20 * 160, 100 * 160)
        assert 10 * np.log10(np.mean(sung[inner] ** 2)) == pytest.approx(take.loudness_db[0], abs=2.0)
        bright = [
            np.sum(np.abs(np.fft.rfft(x[inner]))[len(x[inner]) // 8 :] ** 2)
            / np.sum(np.abs(np.fft.rfft(x[inner])) ** 2)
            for x in (sung, take.target)
        ]
        assert bright[0] == pytest.approx(bright[1], abs=0.15)


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other = (trained(6, seed=s).network.state_dict() for s in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["out.weight"], other["out.weight"])


def test_a_budget_ends_it_and_pays_for_the_scores(tmp_path: Path) -> None:
    result = run_tiny(tmp_path, seconds=1.5, steps=1_000_000)
    assert 3 < result["steps"] < 2000
    rates = [line["rate"] for line in read_history(tmp_path / "training")]
    assert rates[-1] < 0.3 * max(rates)


def test_the_rate_rises_and_falls() -> None:
    trainer = Trainer(
        CONFIG, two_vowels(), recipe(steps=1000, warm_steps=100, peak_rate=1e-3, final_rate=1e-5)
    )
    rates = []
    for trainer.step in range(1000):
        rates.append(trainer.rate())
    assert 60 < int(np.argmax(rates)) < 101
    assert rates[0] == pytest.approx(1e-5)
    assert rates[-1] == pytest.approx(1e-5, rel=0.05)


def test_half_precision_trains_too() -> None:
    trainer = Trainer(CONFIG, two_vowels(), recipe(steps=5), half=True)
    for _ in range(5):
        trainer.advance()
    assert all(p.dtype == torch.float32 and torch.isfinite(p).all() for p in trainer.network.parameters())


def test_a_batch_in_parts_gives_the_same_gradients() -> None:
    gradients = []
    for pieces in (1, 2, 4):
        trainer = Trainer(CONFIG, two_vowels(), recipe())
        trainer.pieces = pieces
        trainer._gradients(trainer._draw())
        gradients.append([p.grad.clone() for p in trainer.network.parameters() if p.grad is not None])
    for other in gradients[1:]:
        for a, b in zip(gradients[0], other, strict=True):
            assert torch.allclose(a, b, rtol=1e-3, atol=1e-6)


def test_out_of_memory_halves_the_batch_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(CONFIG, two_vowels(), recipe(steps=6))
    whole = Trainer.sing
    seen = []

    def crowded(self: Trainer, draw: object) -> object:
        size = len(draw.batch.f0_hz)  # type: ignore[attr-defined]
        seen.append(size)
        if size > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return whole(self, draw)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "sing", crowded)
    report = trainer.advance()
    assert seen == [4, 2, 1, 1, 1, 1]
    assert trainer.pieces == 4
    assert np.isfinite(report.loss)
    seen.clear()
    trainer.advance()
    assert seen == [1, 1, 1, 1]


def test_when_nothing_fits_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Trainer, draw: object) -> object:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Trainer, "sing", full)
    with pytest.raises(ResourceError, match="not even one cut"):
        Trainer(CONFIG, two_vowels(), recipe()).advance()


def test_the_critics_are_taught_once_of_every_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """When memory runs out after they have learned from the batch, the second try leaves them out."""
    trainer = Trainer(CONFIG, two_vowels(), recipe(adversarial=0.0))
    teach, judge = Trainer._critics_loss, Trainer._judged
    taught, judged = [], []

    def teaching(self: Trainer, sung: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        taught.append(len(sung))
        return teach(self, sung, target)

    def crowded(self: Trainer, sung: torch.Tensor, target: torch.Tensor) -> object:
        judged.append(len(sung))
        if judged == [2, 2]:  # the second half of the batch
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return judge(self, sung, target)

    monkeypatch.setattr(Trainer, "_critics_loss", teaching)
    monkeypatch.setattr(Trainer, "_judged", crowded)
    trainer.pieces = 2
    trainer.advance()
    assert judged == [2, 2, 1, 1, 1, 1]
    assert taught == [2, 2]
    trainer.advance()
    assert taught == [2, 2, 1, 1, 1, 1]


def test_discriminators_in_parts_learn_what_they_learn_of_the_whole() -> None:
    found = []
    for pieces in (1, 3):
        trainer = Trainer(CONFIG, two_vowels(), recipe(adversarial=0.0, peak_rate=1e-4))
        trainer.pieces = pieces
        report = trainer.advance()
        state = trainer.critics_optimiser.state
        assert {float(one["step"]) for one in state.values()} == {1.0}
        found.append((report.loss, torch.cat([one["exp_avg"].flatten() for one in state.values()])))
    (loss, whole), (other, parts) = found
    assert other == pytest.approx(loss, rel=1e-5)
    assert torch.linalg.vector_norm(parts - whole) < 1e-4 * torch.linalg.vector_norm(whole)


def test_discriminators_that_go_astray_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(CONFIG, two_vowels(), recipe(adversarial=0.0))
    monkeypatch.setattr(
        Trainer, "_critics_loss", lambda self, sung, target: self.critics(sung)[0][-1].sum() * np.nan
    )
    with pytest.raises(AstrayError, match="the gradient of the discriminators is no number"):
        trainer.advance()


def test_memory_to_come_is_that_of_gradients_and_moments() -> None:
    trainer = Trainer(CONFIG, two_vowels(), recipe(adversarial=0.0))
    promised = trainer.bytes_to_come()
    assert Trainer(CONFIG, two_vowels(), recipe(adversarial=1.0)).bytes_to_come() < promised
    trainer.advance()
    first, second = (sum(p.numel() for p in one.parameters()) for one in (trainer.network, trainer.critics))
    assert promised == 12 * first + 16 * second


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("optimiser", "the optimiser does not fit"),
        ("critics_optimiser", "the step of the discriminators does not fit"),
        ("Critics", "the network of the discriminators does not fit"),
    ],
)
def test_what_cannot_be_cut_ends_in_a_line(monkeypatch: pytest.MonkeyPatch, place: str, says: str) -> None:
    """Some processes have stepped and one has not: there is no trying again, and all must hear of it."""
    together = []

    class Telling(Crew):
        inside = False

        def together(self, work):  # type: ignore[no-untyped-def]
            self.inside = True
            try:
                return work()
            finally:
                self.inside = False

    crew = Telling()

    def full(*_: object, **__: object) -> None:
        together.append(crew.inside)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    trainer = Trainer(CONFIG, two_vowels(), recipe(adversarial=0.0), crew=crew)
    if place == "Critics":
        monkeypatch.setattr(ddsp, "Critics", full)
    else:
        trainer.invite_critics()
        monkeypatch.setattr(getattr(trainer, place), "step", full)
    with pytest.raises(ResourceError, match=f"out of memory at step 0: {says}"):
        trainer.advance()
    assert together == [True]


def test_other_errors_of_torch_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Trainer, draw: object) -> object:
        raise RuntimeError("size mismatch")

    monkeypatch.setattr(Trainer, "sing", broken)
    with pytest.raises(RuntimeError, match="size mismatch"):
        Trainer(CONFIG, two_vowels(), recipe()).advance()


def test_batches_are_cut_to_fit_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for free in (1e12, 1.5e9, 1e8, 1.0):
        monkeypatch.setattr(machine, "free_memory_bytes", lambda device, free=free: int(free))
        found.append(pieces_for_memory(cut_bytes(CONFIG, recipe(clip_frames=128)), 16, "cpu"))
    assert found[0] == 1
    assert found == sorted(found)
    assert found[-1] == 16
    assert machine.free_memory_bytes("cpu") is not None


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good(tmp_path: Path) -> None:
    dataset = two_vowels()

    def poison(event: Event) -> None:
        if type(event).__name__ == "TrainingScored" and event.step == 30:  # type: ignore[attr-defined]
            for take in dataset.examples:
                take.target[:] = np.nan

    with pytest.raises(
        AstrayError, match=r"astray at step 30: the spectral loss is nan; the checkpoint of step 30"
    ):
        run_tiny(tmp_path, dataset=dataset, listener=poison)
    assert steps_kept(tmp_path / "training" / "checkpoints") == [15, 30]
    assert Voice.open(tmp_path).synthesizer()
    assert json.loads((tmp_path / "training" / "run.json").read_text())["status"] == "astray"


def test_it_stops_when_the_score_no_longer_rises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.5, 0.7, 0.701, 0.6, 0.7005, 0.9, 0.9, 0.9])
    monkeypatch.setattr(saving, "score_voice", lambda *a, **k: {"score": next(scores)})
    notes = []
    result = run_tiny(
        tmp_path, steps=80, saves=8, patience=3, phrases=["any"],
        listener=lambda e: notes.append(e.text) if isinstance(e, Note) else None,
    )  # fmt: skip
    assert result["stopped_early"]
    assert (result["steps"], result["step"]) == (50, 30)
    assert "has not risen" in notes[0]
    assert steps_kept(tmp_path / "training" / "checkpoints") == [30, 40, 50]
    assert Voice.open(tmp_path).card.training["step"] == 30


def test_the_best_is_the_highest_score() -> None:
    records = [{"step": s, "score": v} for s, v in ((1, 0.2), (2, 0.6), (3, None), (4, 0.5), (5, 0.6))]
    assert Chronicle(0, records).best() == {"step": 5, "score": 0.6}
    assert Chronicle(0, records[2:3]).best() == {"step": 3, "score": None}
    assert Chronicle().best() is None


def test_discriminators_join_and_everything_stays_finite(tmp_path: Path) -> None:
    run_tiny(tmp_path, steps=6, saves=2, adversarial=0.5, batch_size=2)
    lines = read_history(tmp_path / "training")
    assert "adversarial" not in lines[0]
    assert lines[-1]["adversarial"] > 0
    assert lines[-1]["features"] > 0


def test_a_run_as_of_studio_is_taken_up(tmp_path: Path) -> None:
    """With discriminators, half precision and a slow average, as `studio` has them: to the bit, and finite."""

    class Enough(Exception):
        pass

    def stop(event: object) -> None:
        if type(event).__name__ == "TrainingScored" and event.step == 4:  # type: ignore[attr-defined]
            raise Enough

    studio = PROFILES["studio"].recipe
    changes = {
        "steps": 6, "saves": 3, "adversarial": 0.3, "batch_size": 2, "half": "on", "averaging": studio.averaging,
    }  # fmt: skip
    run_tiny(tmp_path / "whole", **changes)
    with pytest.raises(Enough):
        run_tiny(tmp_path / "torn", listener=stop, **changes)
    run_tiny(tmp_path / "torn", resume=True, **changes)
    assert Voice.open(tmp_path / "whole").card.weights == Voice.open(tmp_path / "torn").card.weights
    whole, torn = (load_latest(tmp_path / name / "training" / "checkpoints") for name in ("whole", "torn"))
    assert whole is not None
    assert torn is not None
    assert {name.split("/")[0] for name in whole.tensors} >= {"critics", "critics_optimiser", "average"}
    assert whole.tensors.keys() == torn.tensors.keys()
    assert all(torch.equal(whole.tensors[name], torn.tensors[name]) for name in whole.tensors)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in whole.tensors.values())


def test_networks_fit_every_rate() -> None:
    for rate in (16_000, 22_000, 24_000, 32_000, 44_100, 48_000):
        config = network_config(rate, 4, 2, SIZE)
        assert DdspConfig.from_mapping(config.to_mapping()) == config
        for profile in PROFILES.values():
            network = DdspNetwork(network_config(rate, 512, 1, profile.size))
            assert 1e6 < sum(p.numel() for p in network.parameters()) < 4e6
