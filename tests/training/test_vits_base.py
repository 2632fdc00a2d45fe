"""Pretrained weights that a VITS training begins with: which are taken, which are refused, before anything is lost."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from community_models import save, small_model, state
from tiny_vits import profile, tones, trainer
from vits_files import READING, critics_file, network_file, wide

from covermaker.disk import file_sha256
from covermaker.errors import CovermakerError, UsageError, WeightsError
from covermaker.takes.document import make_takes, write_takes
from covermaker.training import run as running
from covermaker.training.asked import VERSION
from covermaker.training.course import read_run
from covermaker.training.needs import versions_of
from covermaker.training.profiles import PROFILES, Profile
from covermaker.training.run import train_voice
from covermaker.training.vits_base import Base, base_files, catalog_base
from covermaker.training.vits_stock import critics_shapes, network_of, other_figure
from covermaker.weights.torch_file import TorchFile

TINY, SOVITS = profile(), profile("sovits")


def chosen(wanted: Profile, *files: Path | str) -> tuple[list[Path], list[str]]:
    notes: list[str] = []
    return base_files(wanted, [str(file) for file in files], notes.append), notes


@pytest.mark.parametrize("wanted", [TINY, SOVITS], ids=["rvc", "sovits"])
def test_a_network_and_its_discriminators_are_taken(tmp_path: Path, wanted: Profile) -> None:
    pair = network_file(tmp_path / "a.pth", wanted), critics_file(tmp_path / "b.pth", wanted.vits.family)
    assert chosen(wanted, *pair) == (list(pair), [])
    begun = trainer(wanted, dataset=wide(tones(wanted.vits.sample_rate)), base=list(pair))
    given = torch.load(pair[0])["model"]
    own = begun.network.state_dict()
    singers = len(own["emb_g.weight"])
    for name, tensor in given.items():
        assert torch.equal(own[name][:singers][:3], tensor[:singers][:3]), name
    critics, _ = begun._make_critics()
    assert all(
        torch.equal(critics.state_dict()[name], it) for name, it in torch.load(pair[1])["model"].items()
    )
    assert begun.facts()["base"] == [
        {"file": "a.pth", "sha256": file_sha256(pair[0])},
        {"file": "b.pth", "sha256": file_sha256(pair[1])},
    ]


def _reshaped(path: Path) -> Path:
    content = torch.load(critics_file(path))
    content["model"]["discriminators.3.conv_post.bias"] = torch.zeros(2)
    return save(path, content)


def _more(path: Path) -> Path:
    content = torch.load(network_file(path, TINY))
    content["model"]["enc_p.lyrics.weight"] = torch.zeros(2)
    return save(path, content)


def _whole_numbers(path: Path) -> Path:
    content = torch.load(network_file(path, TINY))
    content["model"]["enc_p.proj.bias"] = content["model"]["enc_p.proj.bias"].long()
    return save(path, content)


def _not_finite(path: Path) -> Path:
    content = torch.load(critics_file(path))
    content["model"]["discriminators.3.conv_post.bias"][0] = torch.nan
    return save(path, content)


def _bytes(path: Path) -> Path:
    path.write_bytes(b"not a checkpoint")
    return path


WRONG: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a D of another family": (lambda p: critics_file(p, "sovits"), "has no tensor 'discriminators.6."),
    "a D of another size": (lambda p: critics_file(p, channels=64), r"convs\.2\.bias' is \(16,\), not \(8,\)"),
    "a D of which one tensor is another": (_reshaped, r"'discriminators\.3\.conv_post\.bias' is \(2,\), not \(1,\)"),
    "a damaged D": (_not_finite, "holds values that are not finite"),
    "a G of another size": (lambda p: network_file(p, TINY, filter=40), "is of another network: its tensor"),
    "a G of v1": (lambda p: network_file(p, TINY, content_dim=256), r"'enc_p\.emb_phone\.weight' is \(16, 256\)"),
    "a G without pitch": (lambda p: network_file(p, TINY, pitched=False), "is a network without pitch, for speech"),
    "a G of the other program": (lambda p: network_file(p, SOVITS), "is of another network"),
    "a G with more": (_more, r"its tensor 'enc_p\.lyrics\.weight' is none of this one"),
    "a G of whole numbers": (_whole_numbers, r"'enc_p\.proj\.bias' holds whole numbers"),
    "a finished voice": (lambda p: save(p, small_model(network_of(TINY))), "is a finished voice: it has no posterior"),
    "no checkpoint": (_bytes, "is no checkpoint that can be read"),
    "no file": (lambda p: p, "cannot be read: No such file"),
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a voice with takes, trained once before; what gets beyond its beginning is `Reached`."""
    takes = make_takes(name="anna", rights="synthetic", created=date(2026, 1, 1),
                       takes=[{"file": "a.wav", "sha256": "0" * 64}])  # fmt: skip
    folder = tmp_path / "anna"
    (folder / "training" / "checkpoints").mkdir(parents=True)
    write_takes(takes, folder)
    (folder / "training" / "checkpoints" / "step-000000100.safetensors").write_bytes(b"dear")
    run = {"version": VERSION, "status": "finished", "profile": PROFILES["quick"].as_dict(), "seed": 1}
    (folder / "training" / "run.json").write_text(json.dumps(run))

    def looked_at(*_: object) -> None:
        raise Reached

    monkeypatch.setattr(running, "_looked_at", looked_at)
    monkeypatch.setattr(running, "_check_needs", lambda *_: None)
    return folder


class Reached(Exception):
    """The takes are looked at: nothing was refused."""


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_refused_before_the_old_run_is_gone(
    tmp_path: Path, home: Path, what: str
) -> None:
    make, says = WRONG[what]
    with pytest.raises(WeightsError, match=says) as refused:
        train_voice(home, profile=TINY, force=True, base=[str(make(tmp_path / "base.pth"))])
    assert (refused.value.hint is None) == (what == "no file")
    assert "\n" not in str(refused.value)
    kept = home / "training" / "checkpoints" / "step-000000100.safetensors"
    assert kept.read_bytes() == b"dear"
    assert read_run(home / "training") is not None


def test_siblings_of_so_vits_are_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"a network that is told a level \(vol_embedding\)"):
        chosen(SOVITS, network_file(tmp_path / "vol.pth", SOVITS, volume=True))
    with pytest.raises(WeightsError, match="a network that makes up no pitch"):
        chosen(SOVITS, network_file(tmp_path / "old.pth", SOVITS, pitch_decoder=False))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["none", "none"], "--base none stands alone"),
        (["a.pth", "none"], "--base none stands alone"),
        (["D", "D"], "two files of the same kind"),
        (["G", "D", "G"], "two files of the same kind"),
    ],
)
def test_what_cannot_stand_together(tmp_path: Path, asked: list[str], says: str) -> None:
    files = {"G": network_file(tmp_path / "g.pth", TINY), "D": critics_file(tmp_path / "d.pth")}
    with pytest.raises(UsageError, match=says):
        chosen(TINY, *[files.get(one, one) for one in asked])


def test_one_alone_is_taken_with_a_word(tmp_path: Path) -> None:
    network, critics = network_file(tmp_path / "g.pth", TINY), critics_file(tmp_path / "d.pth")
    for given, said in (
        (critics, "no pretrained network (G)"),
        (network, "no pretrained discriminators (D)"),
    ):
        files, notes = chosen(TINY, given)
        assert files == [given]
        assert [note.partition(" was given")[0] for note in notes] == [said]
    assert chosen(TINY, "none") == ([], [])


# Which the catalog's are taken for


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put something in the place of the catalog's weights, which nobody could begin with."""
    folder = tmp_path / "models" / "rvc-v2-40k"
    for name in ("f0G40k.pth", "f0D40k.pth"):
        _there = folder / "pretrained_v2" / name
        _there.parent.mkdir(parents=True, exist_ok=True)
        _there.write_bytes(name.encode())
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path / "models"))
    return folder


def changed(**vits: Any) -> Profile:
    return replace(PROFILES["rvc"], vits=replace(PROFILES["rvc"].vits, **vits))


def test_the_catalog_is_for_its_own_reading_and_sizes(installed: Path) -> None:
    """In the key of a project's training are the weights that it begins with, and no others."""
    assert catalog_base(PROFILES["rvc"]) == "rvc-v2-40k"
    with pytest.raises(WeightsError, match=r"f0G40k\.pth is no checkpoint"):
        chosen(PROFILES["rvc"])
    sha256 = versions_of(PROFILES["rvc"])["vits"][1]
    assert len(sha256) == 64
    others = [
        replace(PROFILES["rvc"], encoder="whisper-small"), replace(PROFILES["rvc"], encoder="contentvec"),
        changed(hidden=96), changed(critics_channels=64), PROFILES["sovits"],
    ]  # fmt: skip
    for wanted in others:
        files, notes = chosen(wanted)
        assert files == []
        assert "hours of takes; give the files with --base" in notes[0]
        assert versions_of(wanted)["vits"][1] == ""
    assert network_of(others[0]).content_dim == 768
    assert "those of the catalog read contentvec-768l12, not 'whisper-small'" in chosen(others[0])[1][0]
    # Of another rate they are not here, and can be had.
    assert chosen(PROFILES["rvc-48k"])[1][0].endswith("covermaker models pull rvc-v2-48k")


def test_a_place_that_was_named_and_is_wrong_is_told(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COVERMAKER_WEIGHTS_RVC_V2_40K", str(installed / "nowhere"))
    with pytest.raises(WeightsError, match="the weights 'rvc-v2-40k' are not at"):
        chosen(PROFILES["rvc"])


def test_words_that_a_network_does_not_know_are_told(tmp_path: Path) -> None:
    other = replace(TINY, encoder="whisper-small")
    network, critics = network_file(tmp_path / "g.pth", other), critics_file(tmp_path / "d.pth")
    files, notes = chosen(other, network, critics)
    assert files == [network, critics]
    assert "read contentvec-256l9 or contentvec-768l12, and this one is to read 'whisper-small'" in notes[0]
    assert chosen(replace(TINY, encoder=READING), network, critics)[1] == []


def test_the_sizes_that_the_programs_have() -> None:
    for name in ("rvc", "rvc-32k", "rvc-48k", "sovits"):
        assert other_figure(network_of(PROFILES[name])) is None
    assert other_figure(network_of(changed(hidden=96))) == ("hidden", 96, 192)
    assert other_figure(network_of(replace(PROFILES["rvc"], encoder="contentvec-256l9"))) == (
        "content_dim",
        256,
        768,
    )
    for family, weights in (("rvc", 71_410_594), ("sovits", 46_747_132)):
        assert sum(int(np.prod(shape)) for shape in critics_shapes(family).values()) == weights


def test_files_that_change_after_they_were_looked_at_are_refused(tmp_path: Path) -> None:
    critics = critics_file(tmp_path / "d.pth", channels=64)
    with pytest.raises(CovermakerError, match="is of another network"):
        Base([critics]).give_critics(trainer()._make_critics()[0])
    with pytest.raises(WeightsError, match="is no longer there") as gone:
        Base([tmp_path / "nowhere.pth"])
    assert "--force" in str(gone.value.hint)


def test_nothing_that_a_file_names_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TorchFile, "read", lambda *_: pytest.fail("numbers were read before the shapes held"))
    file = save(tmp_path / "g.pth", {"model": state(network_of(SOVITS), posterior=True)})
    with pytest.raises(WeightsError, match="is of another network"):
        chosen(TINY, file)
