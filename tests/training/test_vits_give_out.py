"""A trained VITS voice as the files of its program: what sings, and what it is trained on with."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_vits import SHAPE, profile, run_tiny_vits, tones, trainer
from vits_files import READING, critics_file, network_file, sing, wide

from covermaker.disk import file_sha256
from covermaker.errors import ResourceError, UsageError, WeightsError
from covermaker.training import give_out as giving
from covermaker.training.checkpoint import checkpoint_path, load_checkpoint, load_latest, save_checkpoint
from covermaker.training.give_out import give_out_training
from covermaker.training.profiles import Profile
from covermaker.training.vits_base import base_files
from covermaker.training.vits_stock import critics_shapes
from covermaker.voices.card import read_card
from covermaker.voices.community.give_out import give_out
from covermaker.voices.community.take_in import Wishes, take_in
from covermaker.voices.index_ivf import IvfIndex
from covermaker.voices.voice import Voice

CASES = pytest.mark.parametrize(("name", "program"), [("rvc-32k", "rvc"), ("sovits", "sovits")])


@pytest.fixture(autouse=True)
def _small_programs(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let the programs have networks as small as those that are trained here, unless a test asks for `true_sizes`."""
    monkeypatch.setattr(
        "covermaker.training.steps.speaker_embedding", lambda *_: None
    )  # seconds, and of no matter
    if "true_sizes" not in request.fixturenames:
        small = partial(critics_shapes, channels=SHAPE["critics_channels"])
        monkeypatch.setattr(giving, "other_figure", lambda _: None)
        monkeypatch.setattr(giving, "critics_shapes", small)


@pytest.fixture
def true_sizes() -> None:
    """Ask for the programs' own sizes."""


def trained(home: Path, wanted: Profile, **options: Any) -> Voice:
    dataset = wide(tones(wanted.vits.sample_rate))
    run_tiny_vits(home, wanted, dataset=dataset, encoder=READING, **options)
    return Voice.open(home)


def kept(voice: Voice) -> Any:
    found = load_latest(voice.folder / "training" / "checkpoints")
    assert found is not None
    return found


@CASES
def test_what_goes_out_comes_back_with_the_same_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, program: str
) -> None:
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    wanted = profile(name, steps=2)
    voice = trained(tmp_path / "own", wanted)
    assert (voice.card.network.kind, voice.card.content.encoder) == ("vits", READING)
    assert voice.card.index is not None
    index = IvfIndex.read(voice.folder / voice.card.index.file)
    assert (index.width, len(index)) == (768, 4 * 30)

    done = give_out(voice, program, tmp_path / "out")
    again = Voice.open(take_in(Wishes(done.files[0], name="again")).folder)
    assert np.array_equal(sing(voice), sing(again))

    # And what its program trains on: the same network, and here the same to begin with.
    files = give_out_training(voice, program, tmp_path / "training")
    assert [file.name for file in files[:2]] == ["G_2.pth", "D_2.pth"]
    notes: list[str] = []
    assert base_files(wanted, [str(file) for file in files[:2]], notes.append) == files[:2]
    assert notes == []
    begun = trainer(wanted, dataset=wide(tones(wanted.vits.sample_rate)), base=files[:2])
    critics, _ = begun._make_critics()
    for part, own in (("weights", begun.network), ("critics", critics)):
        learned, now = kept(voice).part(part), own.state_dict()
        assert learned.keys() == now.keys()
        assert all(torch.equal(learned[name], now[name]) for name in now)
    with pytest.raises(UsageError, match="is there already"):
        give_out_training(voice, program, tmp_path / "training")


@CASES
def test_the_programs_go_on_where_it_stood(tmp_path: Path, name: str, program: str) -> None:
    """As both do: an optimiser of all tensors in the file's order, and a schedule from the file's epoch on."""
    voice = trained(tmp_path / "own", profile(name, steps=1, saves=1, peak_rate=3e-4))
    state = kept(voice)
    for epochs in (0, 1, 2, 400):
        state.state["facts"]["epochs"] = epochs
        save_checkpoint(state, voice.folder / "training" / "checkpoints")
        files = give_out_training(voice, program, tmp_path / "out", replace=True)
        for file, part in zip(files, ("optimiser", "critics_optimiser"), strict=False):
            # RVC's versions count a network's tensors in two orders: they get no moments of it.
            moved = 0 if (program, part) == ("rvc", "optimiser") else len(state.part(part)) // 3
            assert moved or program == "rvc"
            assert_it_goes_on(torch.load(file, weights_only=True), epochs, moved)


def assert_it_goes_on(content: dict[str, Any], epochs: int, moved: int) -> None:
    assert sorted(content) == ["iteration", "learning_rate", "model", "optimizer"]
    assert (content["learning_rate"], content["iteration"]) == (3e-4, max(1, epochs))
    parameters = [torch.nn.Parameter(value) for value in content["model"].values()]
    optimiser = torch.optim.AdamW(parameters, 1e-4, betas=(0.8, 0.99), eps=1e-9)
    optimiser.load_state_dict(content["optimizer"])
    assert len(optimiser.state) == moved
    assert all(there["exp_avg"].shape == p.shape for p, there in optimiser.state.items())
    schedule = torch.optim.lr_scheduler.ExponentialLR(
        optimiser, gamma=0.999875, last_epoch=content["iteration"] - 2
    )
    group, rate = optimiser.param_groups[0], 3e-4 * 0.999875**epochs
    # Older torch takes an epoch's decay at once.
    assert group["lr"] == pytest.approx(rate, rel=2e-4)
    assert (group["initial_lr"], group["betas"], group["eps"]) == (3e-4, (0.8, 0.99), 1e-9)
    optimiser.step()
    schedule.step()
    assert group["lr"] == pytest.approx(rate * 0.999875, rel=2e-4)


def test_so_vits_is_told_the_rate_and_its_singers(tmp_path: Path) -> None:
    voice = trained(tmp_path / "own", profile("sovits", steps=1, saves=1, peak_rate=3e-4))
    *_, settings = give_out_training(voice, "sovits", tmp_path / "out")
    said = json.loads(settings.read_text(encoding="utf-8"))
    assert said["train"]["learning_rate"] == 3e-4
    assert said["spk"] == {voice.name: 0}
    assert said["model"]["n_speakers"] == 1


# What they would not load


def test_sizes_that_the_program_has_not_are_refused(tmp_path: Path, true_sizes: None) -> None:
    """RVC puts random numbers in the place of every tensor of another shape, and says so in its log."""
    voice = trained(tmp_path / "own", profile(steps=1, saves=1))
    with pytest.raises(
        UsageError, match="has latent = 8, and the network that RVC trains has 192"
    ) as refused:
        give_out_training(voice, "rvc", tmp_path / "out")
    assert "without --training" in str(refused.value.hint)
    # Its sizes are in the file that sings.
    assert give_out(voice, "rvc", tmp_path / "sings").files
    other = trained(tmp_path / "other", profile("sovits", steps=1, saves=1))
    with pytest.raises(UsageError, match="discriminators of another size than so-vits-svc has") as refused:
        give_out_training(other, "sovits", tmp_path / "out")
    assert "critics_channels = 1024" in str(refused.value.hint)
    assert not (tmp_path / "out").exists()


def test_a_voice_whose_discriminators_had_not_joined_is_refused(tmp_path: Path) -> None:
    voice = trained(tmp_path / "own", profile(steps=2, saves=1, adversarial=1.0))
    with pytest.raises(UsageError, match="step 2 has no discriminators: they had not joined"):
        give_out_training(voice, "rvc", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    voice = trained(tmp_path / "own", profile(steps=1, saves=1))
    trained(tmp_path / "other", profile(steps=1, saves=1, shape={"filter": 32}))
    path = "training/checkpoints/step-000000001.safetensors"
    (tmp_path / "other" / path).replace(tmp_path / "own" / path)
    with pytest.raises(WeightsError, match="step 1 is of another network than voice 'own'"):
        give_out_training(voice, "rvc", tmp_path / "out")
    (tmp_path / "own" / path).write_bytes(b"x")
    with pytest.raises(WeightsError, match="cannot be read") as damaged:
        give_out_training(voice, "rvc", tmp_path / "out")
    assert damaged.value.hint
    (tmp_path / "own" / path).unlink()
    with pytest.raises(UsageError, match="no checkpoint is kept of what voice 'own' sings with"):
        give_out_training(voice, "rvc", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    voice = trained(tmp_path / "own", profile(steps=1, saves=1))
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="cannot write"):
        give_out_training(voice, "rvc", tmp_path / "file")


# Where a training began


def test_the_card_says_what_it_began_with(tmp_path: Path) -> None:
    """By content, not by name: there are many G_0.pth."""
    wanted = profile(steps=1, saves=1)
    pair = [network_file(tmp_path / "G_0.pth", wanted), critics_file(tmp_path / "D_0.pth")]
    trained(tmp_path / "own", wanted, run={"base": [str(file) for file in pair]})
    assert read_card(tmp_path / "own").training["base"] == [
        {"file": file.name, "sha256": file_sha256(file)} for file in pair
    ]


class Enough(Exception):
    """A training was killed."""


def until(step: int) -> Any:
    def stop(event: Any) -> None:
        if type(event).__name__ == "TrainingScored" and event.step == step:
            raise Enough

    return stop


def test_discriminators_that_join_after_a_stop_have_their_pretrained_weights(tmp_path: Path) -> None:
    """Stopped before they joined, it ends with the bits of a run that was not stopped."""
    wanted = profile(steps=6, saves=3, adversarial=0.5)
    pair = [network_file(tmp_path / "g.pth", wanted), critics_file(tmp_path / "d.pth")]
    run = {"base": [str(file) for file in pair]}
    whole = kept(trained(tmp_path / "whole", wanted, run=run))
    with pytest.raises(Enough):
        trained(tmp_path / "torn", wanted, run=run, listener=until(2))
    voice = trained(tmp_path / "torn", wanted, run=run, resume=True)
    torn = kept(voice)
    assert whole.part("critics").keys() == torn.part("critics").keys() != set()
    assert all(torch.equal(whole.tensors[name], torn.tensors[name]) for name in whole.tensors)
    assert [one["file"] for one in voice.card.training["base"]] == ["g.pth", "d.pth"]


def test_other_pretrained_weights_are_not_taken_for_those_it_began_with(tmp_path: Path) -> None:
    wanted = profile(steps=6, saves=3, adversarial=0.5)
    pair = [network_file(tmp_path / "g.pth", wanted), critics_file(tmp_path / "d.pth")]
    run = {"base": [str(file) for file in pair]}
    with pytest.raises(Enough):
        trained(tmp_path / "own", wanted, run=run, listener=until(2))
    pair[1].write_bytes(pair[0].read_bytes())
    with pytest.raises(WeightsError, match="changed since this training began with them") as refused:
        trained(tmp_path / "own", wanted, run=run, resume=True)
    assert "--force" in str(refused.value.hint)
    pair[1].unlink()
    with pytest.raises(WeightsError, match=r"d\.pth is no longer there: this training began with it"):
        trained(tmp_path / "own", wanted, run=run, resume=True)


def test_once_the_discriminators_are_kept_the_files_may_go(tmp_path: Path) -> None:
    wanted = profile(steps=4, saves=2)
    pair = [network_file(tmp_path / "g.pth", wanted), critics_file(tmp_path / "d.pth")]
    run = {"base": [str(file) for file in pair]}
    with pytest.raises(Enough):
        trained(tmp_path / "own", wanted, run=run, listener=until(2))
    for file in pair:
        file.unlink()
    voice = trained(tmp_path / "own", wanted, run=run, resume=True)
    assert load_checkpoint(checkpoint_path(voice.folder / "training" / "checkpoints", 4)).state["step"] == 4
    assert [one["file"] for one in voice.card.training["base"]] == ["g.pth", "d.pth"]


@pytest.mark.parametrize("base", [False, True])
def test_a_run_of_damaged_checkpoints_does_not_begin_again_in_silence(tmp_path: Path, base: bool) -> None:
    wanted = profile(steps=4, saves=2)
    pair = [network_file(tmp_path / "g.pth", wanted), critics_file(tmp_path / "d.pth")]
    run = {"base": [str(file) for file in pair]} if base else {}
    with pytest.raises(Enough):
        trained(tmp_path / "own", wanted, run=run, listener=until(2))
    newest = checkpoint_path(tmp_path / "own" / "training" / "checkpoints", 2)
    newest.write_bytes(newest.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match=r"no checkpoint in .* can be read: 1 are damaged") as refused:
        trained(tmp_path / "own", wanted, run=run, resume=True)
    assert "--force" in str(refused.value.hint)
    newest.unlink()  # as one that was stopped before its first save
    voice = trained(tmp_path / "own", wanted, run=run, resume=True)
    assert ("base" in voice.card.training) is base
