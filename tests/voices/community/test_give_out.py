"""A voice becomes files again: those that its program would have written, and the same voice when it comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch
from community_models import (
    RVC,
    RVC_V1,
    SOVITS,
    clusters,
    key_list,
    save,
    save_config,
    save_index,
    small_model,
    sovits_config,
    state,
    training_state,
)
from parity_weights import checkpoint, fused, told
from safetensors.numpy import load_file

from covermaker.disk import file_sha256
from covermaker.errors import UsageError, WeightsError
from covermaker.voices.community.give_out import give_out
from covermaker.voices.community.layout import tensors
from covermaker.voices.community.published import published
from covermaker.voices.community.take_in import Wishes, take_in
from covermaker.voices.library import find_voice
from covermaker.voices.voice import Voice


@pytest.fixture(autouse=True)
def _library(own_library):
    pass


def taken(path, **wishes):
    return Voice.open(take_in(Wishes(path, **wishes)).folder)


def load(path):
    return torch.load(path, weights_only=True)


def numbers(voice):
    return load_file(voice.weights_path)


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("config", [RVC, RVC_V1, replace(RVC, pitched=False)], ids=["v2", "v1", "speech"])
def test_a_voice_of_rvc_there_and_back(tmp_path, config):
    voice = taken(save(tmp_path / "miku.pth", small_model(config)))
    done = give_out(voice, "rvc", tmp_path / "out")
    out = tmp_path / "out"
    assert (done.files, done.notes) == ([out / "miku.pth", out / "miku.covermaker.json"], [])
    content = load(done.files[0])
    assert {name: value for name, value in content.items() if name != "weight"} == {
        **{name: value for name, value in small_model(config).items() if name != "weight"},
        "config": [*small_model(config)["config"][:15], 3, *small_model(config)["config"][16:]],
    }
    assert [(name, tuple(tensor.shape)) for name, tensor in content["weight"].items()] == list(
        tensors(config).items()
    )
    assert {tensor.dtype for tensor in content["weight"].values()} == {torch.float32}
    again = taken(done.files[0], name="again")
    assert same(numbers(again), numbers(voice))
    assert again.card.network == voice.card.network


def test_files_are_the_same_wherever_and_whenever_they_are_written(tmp_path):
    voice = taken(save(tmp_path / "miku.pth", small_model()))
    first = file_sha256(give_out(voice, "rvc", tmp_path / "a").files[0])
    assert file_sha256(give_out(voice, "rvc", tmp_path / "b" / "other.pth").files[0]) == first


def test_what_is_written_is_sung_with_as_it_was(tmp_path):
    """Length and direction are apart again, and give the weights that the voice has, to the last digit of float32."""
    voice = taken(save(tmp_path / "miku.pth", small_model()))
    own = {name: tensor.float().numpy() for name, tensor in state(RVC).items()}
    written = load(give_out(voice, "rvc", tmp_path / "out").files[0])["weight"]
    theirs = fused({name: tensor.numpy() for name, tensor in written.items()})
    for name, weight in fused(own).items():
        assert np.allclose(theirs[name], weight, rtol=3e-7, atol=1e-9), name


def test_the_index_goes_with_it(tmp_path):
    path = save(tmp_path / "miku.pth", small_model())
    table = save_index(tmp_path / "miku.index", 768, nprobe=2)
    voice = taken(path)
    done = give_out(voice, "rvc", tmp_path / "out")
    assert [file.name for file in done.files] == ["miku.pth", "miku.index", "miku.covermaker.json"]
    assert done.files[1].read_bytes() == (tmp_path / "miku.index").read_bytes()
    assert np.array_equal(faiss.read_index(str(done.files[1])).reconstruct_n(0, len(table)), table)


@pytest.mark.parametrize("version", ["4.1", "4.1 vol", "4.0", "fork"])
def test_a_voice_of_so_vits_there_and_back(tmp_path, version):
    config = replace(
        SOVITS, volume=version == "4.1 vol", content_dim=256 if version == "4.0" else 768,
        fork=version in ("4.0", "fork"), units="nearest" if version == "fork" else "left",
    )  # fmt: skip
    home = tmp_path / "home"
    said = sovits_config(config, spk={"anna": 0, "Ben é": 1})
    if config.fork:
        said["model"] = {name: value for name, value in said["model"].items() if name == "ssl_dim"}
    if version == "fork":
        said["data"]["contentvec_final_proj"] = False
    save(home / "G_1.pth", training_state(config))
    save_config(home / "config.json", said)
    save(home / "k.pt", clusters(config.content_dim, "Ben é", "anna"))
    voice = taken(home)
    assert voice.card.network.config["fork"] is config.fork
    done = give_out(voice, "sovits", tmp_path / "out")
    assert [str(file.relative_to(tmp_path / "out")) for file in done.files] == [
        "home/G_0.pth", "home/config.json", "home/kmeans_5.pt", "home/G_0.covermaker.json",
    ]  # fmt: skip
    content = load(done.files[0])
    assert (content["iteration"], content["optimizer"], content["learning_rate"]) == (42, None, 1e-4)
    assert [(name, tuple(tensor.shape)) for name, tensor in content["model"].items()] == list(
        tensors(config).items()
    )
    written = json.loads(done.files[1].read_text(encoding="utf-8"))
    assert written["spk"] == {"anna": 0, "Ben é": 1}
    assert (written["model"]["n_speakers"], written["model"]["gin_channels"]) == (3, 8)
    again = taken(tmp_path / "out", name="again")
    assert same(numbers(again), numbers(voice))
    assert again.card.network == voice.card.network
    assert again.card.singers == voice.card.singers
    assert again.card.origin.partition(" (G")[0] == voice.card.origin.partition(" (G")[0]
    assert again.card.index.sha256 == voice.card.index.sha256


def test_an_index_that_the_program_has_not_stays_here(tmp_path):
    home = tmp_path / "anna"
    save(home / "G_1.pth", training_state(SOVITS))
    save_config(home / "config.json", sovits_config())
    voice = taken(home, index=_index(tmp_path / "x.index"))
    done = give_out(voice, "sovits", tmp_path / "out")
    assert [file.name for file in done.files] == ["G_0.pth", "config.json", "G_0.covermaker.json"]
    assert done.notes == ["the index of 'anna' is of a kind that so-vits-svc has not: it stays here"]


def _index(path):
    save_index(path, 768)
    return path


def test_what_is_there_is_not_written_over_unasked(tmp_path):
    voice = taken(save(tmp_path / "miku.pth", small_model()))
    give_out(voice, "rvc", tmp_path / "out")
    with pytest.raises(UsageError, match=r"miku\.pth is there already") as caught:
        give_out(voice, "rvc", tmp_path / "out")
    assert "--force" in caught.value.hint
    assert give_out(voice, "rvc", tmp_path / "out", replace=True).files


def test_a_voice_of_another_kind_or_family_is_refused(tmp_path):
    with pytest.raises(UsageError, match="sung by Covermaker's own network 'ddsp'"):
        give_out(find_voice("demo"), "rvc", tmp_path / "out")
    voice = taken(save(tmp_path / "miku.pth", small_model()))
    with pytest.raises(UsageError, match="is of RVC: it cannot be a file of so-vits-svc") as caught:
        give_out(voice, "sovits", tmp_path / "out")
    assert caught.value.hint == "give it out with --format rvc"
    with pytest.raises(UsageError, match="no program is called 'x'"):
        give_out(voice, "x", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_that_the_program_cannot_build_is_refused(tmp_path):
    voice = taken(save(tmp_path / "miku.pth", small_model(replace(RVC, flow_layers=2))))
    with pytest.raises(UsageError, match="has flow_layers = 2, RVC has 3 built in"):
        give_out(voice, "rvc", tmp_path / "out")


def test_a_damaged_voice_is_refused_and_nothing_written(tmp_path):
    voice = taken(save(tmp_path / "miku.pth", small_model()))
    voice.weights_path.write_bytes(b"x")
    with pytest.raises(WeightsError, match="not the ones of its card"):
        give_out(voice, "rvc", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_a_training_can_be_made_of_all_tensors():
    """With those that only training needs, under the names and in the order of the program's own checkpoints."""
    whole = {name: tensor.numpy() for name, tensor in state(RVC, posterior=True, dtype=torch.float32).items()}
    made = published(RVC, fused(whole), posterior=True)
    assert list(made) == list(whole)
    back = fused({name: tensor.numpy() for name, tensor in made.items()})
    assert all(np.allclose(back[name], weight, rtol=3e-7, atol=1e-9) for name, weight in fused(whole).items())
    with pytest.raises(WeightsError, match=r"no tensor 'enc_q\.pre\.weight'"):
        published(RVC, fused({name: whole[name] for name in tensors(RVC)}), posterior=True)
    wrong = {**fused(whole), "emb_g.weight": np.zeros((2, 2), np.float32)}
    with pytest.raises(WeightsError, match=r"'emb_g\.weight' of the voice has the shape \(2, 2\)"):
        published(RVC, wrong)


@pytest.mark.parametrize(("name", "program"), [("rvc_v2_40k", "rvc"), ("sovits_41_vol", "sovits")])
def test_a_whole_model_there_and_back_as_its_program_lists_it(tmp_path, name, program):
    """At full size: every tensor of the program's own list, in its order, and every number as it was."""
    weights = checkpoint(name)
    model = {key: torch.from_numpy(np.ascontiguousarray(values)) for key, values in weights.items()}
    said, home = told(name, "config"), tmp_path / "home"
    if program == "rvc":
        save(home / "m.pth", {"weight": model, **said})
    else:
        save(home / "G_1.pth", {"model": model, "iteration": 1, "optimizer": None, "learning_rate": 1e-4})
        save_config(home / "config.json", said)
    voice = taken(home, name="whole")
    own = numbers(voice)
    assert all(np.allclose(own[key], values, rtol=3e-7, atol=1e-9) for key, values in fused(weights).items())
    done = give_out(voice, program, tmp_path / "out")
    written = load(done.files[0])["weight" if program == "rvc" else "model"]
    listed = [row for row in key_list(name) if not row[0].startswith("enc_q.")]
    rows = {
        "emb_g.weight": tuple(weights["emb_g.weight"].shape)
    }  # the list has as many singers as it was made with
    assert [(key, tuple(tensor.shape), str(tensor.dtype)) for key, tensor in written.items()] == [
        (key, rows.get(key, shape), dtype) for key, shape, dtype in listed
    ]
    assert same(numbers(taken(tmp_path / "out", name="again")), own)
    assert isinstance(done.files[0], Path)
