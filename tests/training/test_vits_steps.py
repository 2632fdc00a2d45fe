"""How a VITS network's steps are taken: in parts as in one, at which rate, in which precision, and taken up."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_vits import profile, run_tiny_vits, tones, trainer

from covermaker.graph.events import Event, TrainingProgress, from_json
from covermaker.training import machine
from covermaker.training.checkpoint import Checkpoint
from covermaker.training.dataset import Dataset, Example
from covermaker.training.history import History, read_history
from covermaker.training.loop import AstrayError, Report
from covermaker.training.machine import pieces_for_memory
from covermaker.training.profiles import PROFILES
from covermaker.training.pulse import Pulse, read_now
from covermaker.training.steps import _base
from covermaker.training.vits_network import DROPOUT
from covermaker.training.vits_shapes import vits_config
from covermaker.training.vits_trainer import VitsTrainer, cut_bytes
from covermaker.training.watch import Course


def of_lengths(*frames: int) -> Dataset:
    """Return takes of some lengths."""
    whole = tones()
    examples = [
        replace(
            whole.examples[number % 2], target=whole.examples[number % 2].target[: 320 * length],
            f0_hz=whole.examples[number % 2].f0_hz[:length],
            loudness_db=whole.examples[number % 2].loudness_db[:length],
            contents=(whole.examples[number % 2].contents[0][: length // 2],),
        )
        for number, length in enumerate(frames)
    ]  # fmt: skip
    return Dataset(examples, sample_rate=32_000, clip_frames=10, silence=whole.silence)


def gradients(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


def advance(learning: VitsTrainer, steps: int) -> None:
    for _ in range(steps):
        learning.advance()


def stepping(learning: VitsTrainer) -> list[torch.Tensor]:
    """Return where the discriminators' gradients will stand at each of their steps."""
    found: list[torch.Tensor] = []
    move = learning._move

    def moving(optimiser: torch.optim.AdamW) -> None:
        assert learning.critics is not None
        if optimiser is learning.critics_optimiser:
            found.append(gradients(learning.critics))
        move(optimiser)

    learning._move = moving  # type: ignore[method-assign]
    return found


@pytest.mark.parametrize("name", ["rvc-32k", "sovits"])
def test_a_batch_in_parts_is_the_same_training(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With discriminators, and cuts of unequal lengths; in any number of parts, even uneven ones."""
    monkeypatch.setitem(DROPOUT, "sovits", 0.0)  # which each part draws for itself
    found = []
    for pieces in (1, 3, 5):
        dataset = of_lengths(60, 20, 34, 12, 48) if name == "rvc-32k" else tones(44_100)
        learning = trainer(profile(name, batch_size=5, clip_frames=60), dataset=dataset)
        learning.invite_critics()
        learning.pieces = pieces
        draw = learning.batches.draw(5, np.random.default_rng(29))
        if name == "rvc-32k":
            assert len(set(draw.mask.sum(axis=1))) > 2
        taught = stepping(learning)
        losses = learning._gradients(draw)
        assert len(taught) == 1  # the discriminators take one step
        found.append((losses, learning.measured, taught[0], gradients(learning.network)))
    losses, measured, critics, network = found[0]
    for other_losses, other_measured, other_critics, other_network in found[1:]:
        assert other_losses == pytest.approx(losses, rel=1e-5)
        assert other_measured == pytest.approx(measured, rel=1e-5)
        assert torch.linalg.vector_norm(other_critics - critics) < 1e-5 * torch.linalg.vector_norm(critics)
        # Of a weight whose gradient is nothing but rounding, Adam's first step has a sign of its own.
        assert torch.linalg.vector_norm(other_network - network) < 1e-3 * torch.linalg.vector_norm(network)


def test_the_discriminators_learn_from_a_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that runs out behind their step costs them nothing; before it, they begin anew."""
    learning = trainer(profile(batch_size=4))
    teach, judge = VitsTrainer._critics_loss, VitsTrainer._judged
    taught: list[int] = []
    judged: list[int] = []

    def teaching(self: VitsTrainer, sung: torch.Tensor, target: torch.Tensor) -> Any:
        taught.append(len(sung))
        if len(sung) == 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return teach(self, sung, target)

    def judging(self: VitsTrainer, sung: torch.Tensor, target: torch.Tensor) -> Any:
        judged.append(len(sung))
        if len(sung) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return judge(self, sung, target)

    monkeypatch.setattr(VitsTrainer, "_critics_loss", teaching)
    monkeypatch.setattr(VitsTrainer, "_judged", judging)
    learning.advance()
    assert taught == [4, 2, 2]
    assert judged == [2, 1, 1, 1, 1]
    steps = {int(state["step"]) for state in learning.critics_optimiser.state.values()}
    assert steps == {1}


def test_a_gradient_of_the_discriminators_that_is_no_number_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In whichever part it comes up, before they take a step with it."""
    learning = trainer(profile(batch_size=4))
    learning.advance()
    learning.pieces = 2
    before = {name: value.clone() for name, value in learning.critics.state_dict().items()}
    whole, calls = VitsTrainer._critics_loss, []

    def poisoned(self: VitsTrainer, sung: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        calls.append(len(sung))
        return whole(self, sung, target) * (math.nan if len(calls) == 2 else 1.0)

    monkeypatch.setattr(VitsTrainer, "_critics_loss", poisoned)
    with pytest.raises(
        AstrayError, match="at step 1: the gradient of the discriminators is no number"
    ) as caught:
        learning.advance()
    assert "voices scan" in str(caught.value.hint)
    assert all(torch.equal(before[name], value) for name, value in learning.critics.state_dict().items())


def test_an_epoch_is_once_through_takes_that_are_shorter_than_a_cut() -> None:
    rng = np.random.default_rng(7)
    lengths = [int(frames) // 2 * 2 for frames in rng.integers(60, 400, 40)]
    whole = tones(frames=400).examples[0]
    examples = [
        Example(
            whole.target[: 320 * n], whole.f0_hz[:n], whole.loudness_db[:n], (whole.contents[0][: n // 2],)
        )
        for n in lengths
    ]
    dataset = Dataset(examples, sample_rate=32_000, clip_frames=20, silence=tones().silence)
    batches = trainer(profile(clip_frames=370), dataset=dataset).batches
    read = 0.0
    for _ in range(40):
        drawn = batches.draw(40, rng)
        read += drawn.mask[drawn.level.any(axis=1)].sum()
    assert 1600 / batches.cuts == pytest.approx(read / sum(lengths), rel=0.03)
    assert read / sum(lengths) < 0.75 * 1600 / (sum(lengths) / 370)  # what a share of cuts would say


def test_the_epoch_is_kept_whoever_goes_on() -> None:
    class Four(type(trainer().crew)):  # type: ignore[misc]
        size = 4

    first = trainer(profile(steps=9))
    for _ in range(5):
        first.advance()
    assert first.epoch == 1
    second = trainer(profile(steps=9), crew=Four())
    second.restore(first.checkpoint(first.random_states()))
    assert (second.epoch, second.rate()) == (first.epoch, first.rate())
    second.advance()
    assert second.epoch == 2  # ten cuts and eight more, of eight an epoch


def test_the_discriminators_begin_at_the_rate_of_their_step() -> None:
    learning = trainer(profile(peak_rate=1e-3, warm_steps=10, adversarial=0.5, steps=6))
    seen: list[list[float]] = [[]]
    move = learning._move

    def moving(optimiser: torch.optim.AdamW) -> None:
        seen[-1].append(optimiser.param_groups[0]["lr"])
        move(optimiser)

    learning._move = moving  # type: ignore[method-assign]
    for _ in range(4):
        learning.advance()
        seen.append([])
    assert seen[:-1] == [[pytest.approx(1e-4 * (step + 1))] * (1 if step < 3 else 2) for step in range(4)]


def overflowing(report: Report) -> Report:
    return replace(report, loss=math.nan, parts={**report.parts, "mel": math.inf})


def test_what_has_overflowed_is_null_wherever_it_is_written(tmp_path: Path) -> None:
    learning = trainer()
    history = History(tmp_path)
    history.add(overflowing(learning.advance()), 1, flush=True)
    history.add(learning.advance(), 1, flush=True)
    text = (tmp_path / "history.jsonl").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    first, second = read_history(tmp_path)
    assert first["loss"] is first["mel"] is None
    assert first["latent"] > 0
    course = Course(tmp_path)
    assert course.read_on()
    assert course.steps == [1, 2]  # the line is not lost
    assert math.isnan(course.losses["loss"][0])
    assert course.losses["loss"][1] == second["loss"]


def test_who_watches_is_told_of_no_number_as_null(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = VitsTrainer.advance
    monkeypatch.setattr(VitsTrainer, "advance", lambda self: overflowing(whole(self)))
    monkeypatch.setattr(
        "covermaker.training.steps.speaker_embedding", lambda dataset, work: None
    )  # it takes time
    told: list[Event] = []
    (tmp_path / "training").mkdir()
    pulse = Pulse(tmp_path / "training", told.append)
    pulse.begin()
    run_tiny_vits(tmp_path, profile(steps=1, saves=1), listener=pulse)
    (progress,) = (event for event in told if isinstance(event, TrainingProgress))
    fields = json.loads(progress.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert fields["losses"]["loss"] is fields["losses"]["mel"] is None
    assert from_json(progress.to_json()) == progress
    pulse._write()
    now = read_now(tmp_path / "training")
    assert now is not None
    assert (now.step, now.loss) == (1, None)


def test_a_run_counts_what_it_will_keep_and_how_long_its_steps_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, asked = VitsTrainer.advance, []

    def slow(self: VitsTrainer) -> Report:
        report = whole(self)
        self.spent_seconds += 1000.0  # as a save's scores do
        return report

    def fitting(*sizes: Any, kept_bytes: float, **options: Any) -> int:
        asked.append(kept_bytes)
        return 1

    monkeypatch.setattr(VitsTrainer, "advance", slow)
    monkeypatch.setattr("covermaker.training.steps.pieces_for_memory", fitting)
    monkeypatch.setattr("covermaker.training.steps.speaker_embedding", lambda dataset, work: None)
    told: list[Event] = []
    done = run_tiny_vits(tmp_path, profile(steps=2, saves=1), listener=told.append)
    assert asked == [trainer().bytes_to_come()]
    assert done["seconds_per_step"] < 100.0
    first = next(event for event in told if isinstance(event, TrainingProgress))
    assert first.seconds_per_step < 100.0
    assert first.seconds_left < 100.0  # of the one step that is left


def test_the_precision_of_a_run_goes_on_with_its_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun in float32 and taken up where float16 would be chosen: no scale, and no patience with what is no number."""
    wanted = profile(half="float16", steps=9)
    begun = trainer(wanted, half=False)
    begun.advance()
    again = trainer(wanted, half=True)
    again.restore(begun.checkpoint(begun.random_states()))
    assert not again.half
    assert not any(scaler.is_enabled() for scaler in again._scalers)
    begun.advance(), again.advance()
    for name, value in begun.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name])
    for example in again.dataset.examples:
        example.target[:] = np.nan
    with pytest.raises(AstrayError):
        advance(again, 4)  # a batch of nothing but silence is whole
    # And the other way round.
    narrow = trainer(wanted, half=True)
    narrow.advance()
    wide = trainer(wanted, half=False)
    wide.restore(narrow.checkpoint(narrow.random_states()))
    assert [scaler.state_dict() for scaler in wide._scalers] == [s.state_dict() for s in narrow._scalers]


def test_discriminators_that_join_late_are_pretrained_in_a_run_that_was_stopped(tmp_path: Path) -> None:
    donor = trainer(profile(peak_rate=1e-2), seed=5)
    donor.advance()
    files = []
    for letter, network in (("G", donor.network), ("D", donor.critics)):
        files.append(tmp_path / f"{letter}.pth")
        torch.save({"model": network.state_dict(), "iteration": 1}, files[-1])
    wanted = profile(steps=4, adversarial=0.5)
    run = {"base": [str(file) for file in files]}
    whole = trainer(wanted, base=_base(run, None, wanted))
    whole.advance()
    kept = whole.checkpoint(whole.random_states())
    assert not kept.part("critics")  # they have not joined
    torn = trainer(wanted, base=_base(run, kept, wanted))
    torn.restore(kept)
    for one in (whole, torn):
        one.advance()
        one.invite_critics()
        for name, value in donor.critics.state_dict().items():
            assert torch.equal(value, one.critics.state_dict()[name])
        one.critics = None
        one.advance(), one.advance()
    first, second = (one.checkpoint(one.random_states()) for one in (whole, torn))
    assert first.part("critics")
    assert first.tensors.keys() == second.tensors.keys()
    assert all(torch.equal(first.tensors[name], second.tensors[name]) for name in first.tensors)
    assert first.state["facts"] == second.state["facts"]
    assert first.state["facts"]["base"]
    # Where they have joined, the files are no longer needed.
    assert _base(run, first, wanted) == []


def test_the_time_of_a_step_is_without_that_of_the_scores() -> None:
    learning = trainer()
    learning.advance()
    learning.spent_seconds += 1000.0  # a save
    learning.advance()
    assert learning.seconds_per_step < 100.0
    assert learning.spent_seconds > 1000.0
    kept = learning.checkpoint(learning.random_states())
    again = trainer()
    again.restore(kept)
    assert again.seconds_per_step == learning.seconds_per_step
    older = {name: value for name, value in kept.state.items() if name != "stepped_seconds"}
    again.restore(Checkpoint(kept.tensors, older))
    assert again.stepped_seconds == learning.spent_seconds


def test_memory_is_counted_with_what_the_networks_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    learning = trainer()
    first = sum(p.numel() for p in learning.network.parameters())
    promised = learning.bytes_to_come()
    learning.advance()
    second = sum(p.numel() for p in learning.critics.parameters())
    assert promised == 12 * first + 16 * second  # float32: gradient, two moments; and the weights themselves
    held = [p.grad.nbytes for one in (learning.network, learning.critics) for p in one.parameters()]
    held += [p.nbytes for p in learning.critics.parameters()]
    for optimiser in (learning.optimiser, learning.critics_optimiser):
        held += [
            state[name].nbytes for state in optimiser.state.values() for name in ("exp_avg", "exp_avg_sq")
        ]
    assert sum(held) == promised

    monkeypatch.setattr(machine, "free_memory_bytes", lambda device: int(5e9))
    shape = PROFILES["rvc"].vits
    a_cut = cut_bytes(vits_config(shape, 768, 1), shape)
    assert a_cut == pytest.approx(0.5e9)
    assert pieces_for_memory(a_cut, 8, "cuda") == 2
    assert pieces_for_memory(a_cut, 8, "cuda", kept_bytes=2e9) == 4  # 0.6 of 3e9 hold three cuts
    assert pieces_for_memory(a_cut, 8, "cuda", kept_bytes=9e9) == 8
