"""A model becomes a voice, whole or not at all, and sings what its network sings."""

from __future__ import annotations

import errno
import os
import tomllib
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch
from community_models import (
    RVC,
    RVC_V1,
    SOVITS,
    clusters,
    save,
    save_config,
    save_index,
    small_model,
    sovits_config,
    state,
    training_state,
)
from parity_weights import fused

from covermaker.disk import file_sha256, this_host
from covermaker.errors import ProjectError, ResourceError, UsageError, WeightsError
from covermaker.project.library import Trash
from covermaker.voices.community import take_in as taking
from covermaker.voices.community.take_in import Wishes, take_in
from covermaker.voices.index_centres import CentreIndex
from covermaker.voices.index_ivf import IvfIndex
from covermaker.voices.library import find_voice, list_voices
from covermaker.voices.voice import Voice


@pytest.fixture(autouse=True)
def _library(own_library):
    pass


@pytest.fixture
def model(tmp_path):
    return save(tmp_path / "Hatsune Miku_e300_s9000.pth", small_model())


def refusal(wishes, kind=WeightsError):
    with pytest.raises(kind) as caught:
        take_in(wishes)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.message


def left(folder):
    """Return everything in a folder, and what was unpacked for a moment beside it."""
    return sorted(str(path.relative_to(folder.parent)) for path in folder.rglob("*"))


def test_a_voice_of_rvc(model, own_library):
    index = model.with_name("hatsune miku.index")
    rows = save_index(index, 768, nprobe=2)
    done = take_in(Wishes(model))
    assert done.folder == own_library / "hatsune-miku"
    assert (done.source, done.notes) == (str(model), [])
    assert sorted(path.name for path in done.folder.iterdir()) == [
        "card.toml",
        "index.npz",
        "voice.safetensors",
    ]
    voice = find_voice("hatsune-miku")
    assert voice.card == done.card
    card = tomllib.loads((done.folder / "card.toml").read_text())
    assert card["origin"] == f"imported: RVC v2, 40 kHz ({model.name})"
    assert (card["rights"], card["statement"], card["licence"]) == ("unknown", "", "unknown")
    assert card["created"] == datetime.now(tz=UTC).date()
    assert card["content"] == {"encoder": "contentvec-768l12"}
    assert card["network"] == {"kind": "vits", "config": RVC.to_mapping()}
    assert card["sample_rate"] == 40_000
    assert card["training"] == {
        "info": "300epoch", "f0_range": "assumed", "source_sha256": file_sha256(model), "index": index.name,
        "index_rows": len(rows),
    }  # fmt: skip
    assert voice.verify() == card["weights"]["sha256"] == file_sha256(done.folder / "voice.safetensors")
    assert card["index"] == {"file": "index.npz", "sha256": file_sha256(done.folder / "index.npz")}
    found = IvfIndex.read(done.folder / "index.npz")
    assert np.array_equal(found.rows[np.argsort(found.ids)], rows)
    assert found.nprobe == 2
    assert voice.fingerprint


def test_the_network_holds_exactly_the_file_s_numbers_and_sings(model):
    voice = Voice.open(take_in(Wishes(model)).folder)
    singer = voice.synthesizer()
    own = {name: tensor.float().numpy() for name, tensor in state(RVC).items()}
    wanted = fused(own)
    held = singer.network.state_dict()
    assert held.keys() == wanted.keys()
    for name, tensor in held.items():
        assert np.allclose(tensor.numpy(), wanted[name], rtol=0, atol=1e-6), name
    rows = np.random.default_rng(0).standard_normal((30, 768), dtype=np.float32)
    sung = singer.render(rows, singer.pitch(np.full(30, 220.0)), np.zeros(30), first_frame=0, seed=1)
    assert sung.shape == (30 * 400,)
    assert np.isfinite(sung).all()
    assert sung.std() > 0


@pytest.mark.parametrize("config", [RVC_V1, replace(RVC, pitched=False), SOVITS])
def test_every_family_sings(tmp_path, config):
    config = replace(config, fork=False)
    path = save(tmp_path / "m" / "G_1200.pth", training_state(config))
    if config.family == "sovits":
        save_config(path.with_name("config.json"), sovits_config(config, spk={"anna": 0, "ben": 1}))
    done = take_in(Wishes(path))
    assert done.folder.name == "m"  # the file is named for its step
    singer = Voice.open(done.folder).synthesizer()
    rows = np.zeros((20, config.content_dim), dtype=np.float32)
    speaker = [0.5, 0.5] if done.card.singers else 0
    sung = singer.render(
        rows, singer.pitch(np.full(20, 200.0)), np.zeros(20), first_frame=0, seed=1, speaker=speaker
    )
    assert len(sung) == 20 * (config.sample_rate // 100)
    assert np.isfinite(sung).all()


def test_a_voice_of_so_vits_has_its_singers_and_their_clusters(tmp_path):
    home = tmp_path / "duet"
    save(home / "G_1.pth", training_state(SOVITS))
    save_config(home / "config.json", sovits_config(spk={"ben": 1, "anna": 0}))
    save(home / "kmeans_5.pt", clusters(768, "ben", "cora"))
    done = take_in(Wishes(home, name="duet", rights="licensed", statement="Both agreed."))
    assert done.card.singers == ["anna", "ben"]
    assert (done.card.rights, done.card.statement) == ("licensed", "Both agreed.")
    assert done.notes == ["there are no clusters of 'anna'"]
    centres = CentreIndex.read(done.folder / "index.npz")
    assert np.array_equal(centres.rows, clusters(768, "ben")["ben"]["cluster_centers_"])
    content = np.ones((2, 768), np.float32)
    assert np.array_equal(centres.blend(content, 1.0, singer=0), content)
    assert not np.array_equal(centres.blend(content, 1.0, singer=1), content)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Rin v2.pth", "rin-v2"),
        ("rin_e20.pth", "rin"),
        ("rin_s9.pth", "rin"),
        ("G_2333333.pth", "home"),
        ("G.pth", "home"),
        ("ÄÖ.pth", "äö"),
    ],
)
def test_names_are_made_of_the_file_s(tmp_path, file, name):
    assert take_in(Wishes(save(tmp_path / "home" / file, small_model())), dry_run=True).folder.name == name


def test_a_rehearsal_reads_all_and_writes_nothing(model, own_library, tmp_path):
    before = left(tmp_path)
    done = take_in(Wishes(model), dry_run=True)
    assert done.card.origin.startswith("imported: RVC v2")
    assert left(tmp_path) == before
    save(model, small_model(weight={**state(RVC), "emb_g.weight": torch.full((3, 8), torch.nan)}))
    with pytest.raises(WeightsError, match="not finite"):
        take_in(Wishes(model), dry_run=True)


def test_a_name_that_is_taken(model, own_library):
    take_in(Wishes(model, name="miku"))
    assert refusal(Wishes(model, name="miku"), UsageError) == "there is a voice 'miku' already"
    assert "comes with Covermaker" in refusal(Wishes(model, name="demo"), UsageError)
    (own_library / "takes").mkdir()
    (own_library / "takes" / "takes.toml").write_text("")
    assert "a voice of your own takes" in refusal(Wishes(model, name="takes", replace=True), UsageError)
    (own_library / "something").mkdir()
    assert "is there already, and no voice" in refusal(
        Wishes(model, name="something", replace=True), UsageError
    )


def test_what_is_replaced_goes_to_the_trash(model, own_library):
    take_in(Wishes(model, name="miku"))
    old = file_sha256(own_library / "miku" / "voice.safetensors")
    save(model, small_model(RVC_V1))
    done = take_in(Wishes(model, name="miku", replace=True))
    assert done.notes == ["what was 'miku' is in the trash"]
    assert find_voice("miku").card.network.config["content_dim"] == 256
    (gone,) = Trash(own_library).contents()
    assert file_sha256(gone.place / "miku" / "voice.safetensors") == old
    assert [entry.name for entry in list_voices() if entry.place == "library"] == ["miku"]


def test_what_was_to_be_replaced_comes_back_when_the_disk_refuses_the_new_one(
    model, own_library, monkeypatch
):
    take_in(Wishes(model, name="miku"))
    before = left(own_library)

    def refuse(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("covermaker.disk.os.rename", refuse)
    assert "the disk is full" in refusal(Wishes(model, name="miku", replace=True), ResourceError)
    assert [name for name in left(own_library) if not name.endswith(".trash")] == before
    assert Trash(own_library).contents() == []


def test_a_place_of_its_own(model, tmp_path):
    done = take_in(Wishes(model, name=f"{tmp_path}/here/miku"))
    assert done.folder == tmp_path / "here" / "miku"
    assert done.card.name == "miku"
    assert "not in your library" in refusal(
        Wishes(model, name=f"{tmp_path}/here/miku", replace=True), UsageError
    )


@pytest.mark.parametrize("rights", ["own-voice", "licensed"])
def test_rights_need_a_word_on_who_agreed(model, rights):
    assert "need a statement" in refusal(Wishes(model, rights=rights), UsageError)
    assert take_in(Wishes(model, rights=rights, statement=" I am. ")).card.statement == "I am."


def test_a_name_that_no_card_can_hold(model):
    with pytest.raises(ProjectError, match="a plain name is expected"):
        take_in(Wishes(model, name="a:b"))


def test_an_index_of_another_model_is_refused(model, own_library, tmp_path):
    save_index(tmp_path / "x.index", 256)
    message = refusal(Wishes(model, index=tmp_path / "x.index"))
    assert (
        message
        == f"{tmp_path / 'x.index'} holds rows of width 256, and the model reads 768: it belongs to another model"
    )
    save(tmp_path / "k.pt", clusters(256, "x"))
    duet = save(tmp_path / "duet" / "G_1.pth", training_state(SOVITS))
    save_config(tmp_path / "duet" / "config.json", sovits_config())
    assert "holds rows of width 256" in refusal(Wishes(duet, clusters=tmp_path / "k.pt"))
    assert "is no cluster model" in refusal(Wishes(duet, clusters=duet))
    assert "t is no index of RVC" in refusal(Wishes(model, index=save_text(tmp_path / "t")))
    assert "t is no cluster model of so-vits-svc" in refusal(Wishes(duet, clusters=tmp_path / "t"))
    (tmp_path / "sound").write_bytes(b"RIFF    WAVE")
    assert refusal(Wishes(model, index=tmp_path / "sound")) == f"{tmp_path / 'sound'} is a sound file"
    assert "an index or clusters" in refusal(Wishes(model, index=model, clusters=model), UsageError)
    assert not own_library.exists()


def save_text(path):
    path.write_text("text")
    return path


def write_less(model):
    model.write_bytes(model.read_bytes()[:-3000])


def write_nan(model):
    save(model, small_model(weight={**state(RVC), "dec.cond.bias": torch.full((32,), torch.inf)}))


def write_other(model):
    save(model, {"weight": {"fc.weight": torch.ones(2)}})


@pytest.mark.parametrize("spoil", [write_less, write_nan, write_other])
@pytest.mark.parametrize("wrapped", ["file", "folder", "zip"])
def test_what_is_refused_leaves_nothing_behind(tmp_path, own_library, model, spoil, wrapped):
    import zipfile

    spoil(model)
    path = model
    if wrapped == "folder":
        (tmp_path / "folder").mkdir()
        model.rename(tmp_path / "folder" / model.name)
        path = tmp_path / "folder"
    elif wrapped == "zip":
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(model, model.name)
    before = left(tmp_path)
    with pytest.raises((WeightsError, UsageError)) as caught:
        take_in(Wishes(path))
    assert model.name in str(caught.value) or "holds no model" in str(caught.value)
    assert left(tmp_path) == before
    assert not own_library.exists()


@pytest.mark.parametrize("when", ["save_file", "write_card", "rename"])
def test_a_disk_that_is_full_leaves_nothing_behind(model, own_library, monkeypatch, when):
    take_in(Wishes(model, name="before"))
    before = left(own_library)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "no space")

    if when == "save_file":
        monkeypatch.setattr("safetensors.numpy.save_file", full)
    elif when == "write_card":
        monkeypatch.setattr(taking, "write_card", full)
    else:
        monkeypatch.setattr(os, "rename", full)
    with pytest.raises(ResourceError, match="disk is full"):
        take_in(Wishes(model, name="miku"))
    assert left(own_library) == before


def test_what_a_killed_import_left_goes_with_the_next(model, own_library):
    take_in(Wishes(model, name="one"))
    dead = own_library / f".part-{this_host()}-999999999-00000000"
    dead.mkdir()
    (dead / "card.toml").write_text((own_library / "one" / "card.toml").read_text())
    assert [entry.name for entry in list_voices() if entry.place == "library"] == ["one"]
    take_in(Wishes(model, name="two"))
    assert sorted(os.listdir(own_library)) == ["one", "two"]


def test_progress_is_told_in_order(model):
    told = []
    take_in(Wishes(model), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 50
