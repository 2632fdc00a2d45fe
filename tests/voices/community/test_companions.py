"""What lies beside a model or is named with it: taken where it can be meant, told or refused where it cannot."""

import shlex

import pytest
from community_models import (
    SOVITS,
    clusters,
    save,
    save_config,
    save_index,
    small_model,
    sovits_config,
    training_state,
)

from covermaker.errors import UsageError, WeightsError
from covermaker.voices.community.take_in import Wishes, take_in


@pytest.fixture(autouse=True)
def _library(own_library):
    pass


@pytest.fixture
def rvc(tmp_path):
    return save(tmp_path / "rvc" / "Aria.pth", small_model())


@pytest.fixture
def sovits(tmp_path):
    save_config(tmp_path / "gwen" / "config.json", sovits_config())
    return save(tmp_path / "gwen" / "G_44000.pth", training_state(SOVITS))


def looked_at(path, **wishes):
    return take_in(Wishes(path, **wishes), dry_run=True)


def test_what_is_named_and_of_the_other_program_is_refused(rvc, sovits, tmp_path):
    kmeans = save(tmp_path / "k.pt", clusters(768, "x"))
    with pytest.raises(WeightsError, match="clusters are of so-vits-svc, and the model is of RVC") as caught:
        looked_at(rvc, clusters=kmeans)
    assert "--index" in caught.value.hint
    with pytest.raises(WeightsError, match="config of so-vits-svc, and the model is of RVC"):
        looked_at(rvc, config=sovits.with_name("config.json"))
    theirs = {"model": {"spk_embed_dim": 109}, "data": {"sampling_rate": 40000}}
    save_config(tmp_path / "config.json", theirs)
    with pytest.raises(WeightsError, match="config of RVC, and the model is of so-vits-svc"):
        looked_at(sovits, config=tmp_path / "config.json")


def test_a_config_with_a_table_of_singers_is_of_so_vits_whatever_else_it_lacks(rvc, tmp_path):
    invented = {"model": {"inter_channels": 192}, "spk": {"anna": 0}, "data": {"sampling_rate": 44100}}
    save_config(tmp_path / "config.json", invented)
    with pytest.raises(WeightsError, match="config of so-vits-svc, and the model is of RVC"):
        looked_at(rvc, config=tmp_path / "config.json")


def test_a_config_that_no_program_has_marked_is_told(rvc, sovits, tmp_path):
    save_config(tmp_path / "config.json", {"model": {}, "data": {}})
    for model, program in ((rvc, "RVC"), (sovits, "so-vits-svc")):
        words = f"nothing in {tmp_path / 'config.json'} says that {program} wrote it: is it of this model?"
        assert words in looked_at(model, config=tmp_path / "config.json").notes
    assert not [note for note in looked_at(sovits).notes if "wrote it" in note]


def test_an_index_of_another_name_beside_a_single_model_is_told(rvc):
    first = rvc.with_name("it's.index")
    save_index(first, 768)
    found = looked_at(rvc)
    assert found.card.index is None
    (note,) = found.notes
    assert note.startswith("it's.index lies beside it and is not taken in")
    assert note.endswith(f"add --index {shlex.quote(str(first))}")
    save_index(rvc.with_name("other.index"), 768)
    assert looked_at(rvc).notes[0].startswith("2 indexes lie beside it and none is taken in")
    assert not [note for note in looked_at(rvc, index=first).notes if "beside" in note]
    save_index(rvc.with_name("added_aria.index"), 768)
    assert looked_at(rvc).card.training["index"] == "added_aria.index"


def test_a_voice_of_covermaker_is_not_taken_in_and_what_to_do_is_said(rvc, own_library, tmp_path):
    folder = take_in(Wishes(rvc)).folder
    with pytest.raises(UsageError, match="is a voice of Covermaker already") as caught:
        looked_at(folder)
    assert caught.value.hint == "it is in your library: covermaker voices show aria"
    away = tmp_path / "their voices" / "aria"
    away.parent.mkdir()
    folder.rename(away)
    for path in (away, away / "voice.safetensors"):
        with pytest.raises(UsageError, match="there is nothing to take in") as caught:
            looked_at(path)
        assert f"copy the whole folder into {own_library}" in caught.value.hint
        assert f"--voice '{away}'" in caught.value.hint


def test_what_only_lies_there_is_told_and_left(rvc, sovits):
    save(rvc.with_name("kmeans_10000.pt"), clusters(768, "x"))
    save_config(rvc.with_name("config.json"), sovits_config())
    found = looked_at(rvc.parent)
    assert found.card.index is None
    assert [note for note in found.notes if "cluster model of so-vits-svc: it is not taken in" in note]
    assert [note for note in found.notes if "config of so-vits-svc: it is not heeded" in note]
    save_index(sovits.with_name("Aria.index"), 768)
    found = looked_at(sovits.parent)
    assert found.card.index is None
    assert [note for note in found.notes if "Aria.index is an index as RVC writes it" in note]


def test_an_index_for_so_vits_is_taken_when_it_is_named_and_never_without_a_word(sovits, tmp_path):
    save_index(tmp_path / "Aria.index", 768)
    found = looked_at(sovits, index=tmp_path / "Aria.index")
    assert found.card.index is not None
    assert [note for note in found.notes if "nothing says that it is this singer" in note]


def test_clusters_win_over_an_index_beside_so_vits(sovits):
    save_index(sovits.with_name("Aria.index"), 768)
    save(sovits.with_name("kmeans_10000.pt"), clusters(768, "gwen"))
    assert looked_at(sovits.parent).card.training["index"] == "kmeans_10000.pt"


@pytest.mark.parametrize(
    ("name", "is_odd"),
    [
        ("added_IVF3_Flat_nprobe_1_Bert_v2.index", True),
        ("added_IVF3_Flat_nprobe_1_Aria_v2.index", False),
        ("added_IVF3_Flat_nprobe_1_Aria_e300_s9000_v2.index", False),
        ("whatever.index", False),
    ],
)
def test_an_index_that_is_named_for_another_voice_is_asked_about(rvc, tmp_path, name, is_odd):
    save_index(tmp_path / name, 768)
    notes = looked_at(rvc, index=tmp_path / name).notes
    assert any("is named for 'Bert': was it made with this model?" in note for note in notes) is is_odd


def test_a_companion_that_is_not_there_is_named_and_not_the_model(rvc):
    with pytest.raises(UsageError, match=r"there is no file .*/nothere\.index") as caught:
        looked_at(rvc, index=rvc.parent / "nothere.index")
    assert "name a model" not in caught.value.hint


def test_clusters_alone_are_called_what_they_are(tmp_path):
    path = save(tmp_path / "k" / "kmeans_10000.pt", clusters(768, "x"))
    for one in (path, path.parent):
        with pytest.raises(WeightsError, match="cluster model of so-vits-svc") as caught:
            looked_at(one)
        assert "--clusters" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "iteration", "wanted"),
    [
        ("G_44000.pth", 44000, {"iteration": 44000}),
        ("G_44000.pth", 12, {"epochs": 12, "steps": 44000}),
        ("G_0.pth", 12, {"epochs": 12}),
        ("anna.pth", 12, {"epochs": 12}),
    ],
)
def test_epochs_and_steps_of_so_vits_are_told_apart_by_the_name(tmp_path, name, iteration, wanted):
    save_config(tmp_path / "x" / "config.json", sovits_config())
    path = save(tmp_path / "x" / name, {**training_state(SOVITS), "iteration": iteration})
    told = looked_at(path).card.training
    assert {key: told[key] for key in ("epochs", "steps", "iteration") if key in told} == wanted


def test_the_fork_calls_its_saves_by_their_epochs(tmp_path):
    said = sovits_config()
    said["data"]["contentvec_final_proj"] = False
    save_config(tmp_path / "x" / "config.json", said)
    path = save(tmp_path / "x" / "G_300.pth", {**training_state(SOVITS), "iteration": 300})
    told = looked_at(path).card.training
    assert (told["epochs"], "steps" in told, "iteration" in told) == (300, False, False)
