"""What a file claims costs it nothing: no claim takes memory or time before it is compared with what is there."""

from __future__ import annotations

import bz2
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from community_models import (
    RVC,
    SOVITS,
    clusters,
    save,
    save_config,
    save_index,
    small_model,
    sovits_config,
    training_state,
)

from covermaker.errors import ResourceError, WeightsError
from covermaker.voices.card import VoiceCard
from covermaker.voices.community import clusters as cluster_files
from covermaker.voices.community import layout
from covermaker.voices.community.clusters import read_clusters
from covermaker.voices.community.find import found
from covermaker.voices.community.ivf_file import read_ivf
from covermaker.voices.community.take_in import Wishes, take_in
from covermaker.voices.retrieval import open_index
from covermaker.weights.torch_file import TorchFile


def refusal(act, *given, **named):
    with pytest.raises(WeightsError) as caught:
        act(*given, **named)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    "name",
    ["flow.flows.{}.pre.weight", "flow.flows.0.enc.in_layers.{}.bias", "dec.resblocks.{}.convs1.0.bias"],
)
def test_a_high_number_in_a_name_is_no_network_of_that_size(own_library, tmp_path, monkeypatch, name):
    model = small_model()
    model["weight"][name.format(60_000)] = torch.zeros(1)
    laid_out = []
    monkeypatch.setattr(
        layout, "_flow", lambda *given, told=layout._flow: laid_out.append(given) or told(*given)
    )
    assert "that no such model has" in refusal(take_in, Wishes(save(tmp_path / "m.pth", model)))
    assert all("60000" not in str(given) and "60001" not in str(given) for given in laid_out)
    assert not own_library.exists()


def test_an_archive_packed_otherwise_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "voice.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("model.pth", bz2.compress(b"0" * 100))

    def look():
        with found(path):
            pass

    assert "packed in a way" in refusal(look)


def test_one_array_for_many_singers_counts_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_files, "MOST_BYTES", 4 * 5 * 8 * 3)
    table = clusters(8, "anna")
    path = save(tmp_path / "k.pt", {f"singer {number}": table["anna"] for number in range(4)})
    with TorchFile.open(path) as file:
        assert "more centres than any voice has" in refusal(read_clusters, file, "k.pt")


def test_singers_of_clusters_are_called_as_those_of_the_model(own_library, tmp_path):
    model = save(tmp_path / "G_1.pth", training_state(SOVITS))
    save_config(tmp_path / "config.json", sovits_config(spk={"a/b": 0, ".c": 1}))
    made = take_in(Wishes(model, clusters=save(tmp_path / "k.pt", clusters(768, "a/b", ".c"))))
    assert made.card.singers == ["a-b", "c"]
    assert made.card.index is not None


@pytest.mark.parametrize("size", [10**400, 2**60, -1, True, 1.5])
def test_sizes_that_are_none(tmp_path, size):
    class Array:
        def __reduce__(self):
            return (
                np._core.multiarray._reconstruct,
                (np.ndarray, (0,), b"b"),
                (1, (size,), np.dtype("f4"), False, b"x"),
            )

    array = {"anna": {"cluster_centers_": Array()}}
    with TorchFile.open(save(tmp_path / "k.pt", array)) as file:
        refusal(read_clusters, file, "k.pt")


def test_arrays_that_are_built_otherwise(tmp_path):
    class Array:
        def __init__(self, *state):
            self.state = state

        def __reduce__(self):
            return np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), self.state

    class Kind:
        def __init__(self, *args):
            self.args = args

        def __reduce__(self):
            return np.dtype, self.args, (3, "<", None, None, None, -1, -1, 0)

    for state in (
        (1, (1,) * 70, np.dtype("f4"), False, b"1234"),
        (1, (0, 2**47), np.dtype("f4"), False, b""),
        (1, (1,), Kind(), False, b"1234"),
    ):
        path = save(tmp_path / "k.pt", {"anna": {"cluster_centers_": Array(*state)}})
        with TorchFile.open(path) as file:
            refusal(read_clusters, file, "k.pt")


def test_huge_keys_are_refused(tmp_path):
    path = save(tmp_path / "k.pt", {2**61 - 1: 1})
    with pytest.raises(WeightsError):
        TorchFile.open(path)


def test_an_index_is_not_searched_through_and_through(tmp_path):
    save_index(tmp_path / "a.index", 4, rows=3000, lists=400, nprobe=400)
    assert read_ivf(tmp_path / "a.index", "a.index").nprobe == 256


@pytest.mark.parametrize("damage", ["deflate", "header"])
def test_a_voice_s_own_index_that_is_damaged_is_told_in_a_sentence(tmp_path, damage):
    path = tmp_path / "index.npz"
    np.savez_compressed(path, kind=np.array("ivf"), rows=np.zeros((50, 8), np.float32))
    data = bytearray(path.read_bytes())
    if damage == "deflate":
        at = data.index(b"kind.npy") + 30
        data[at : at + 20] = b"\xff" * 20
        path.write_bytes(data)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"9" * 14 + b",), }"
            archive.writestr("kind.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(WeightsError) as caught:
        open_index(path)
    assert "\n" not in caught.value.message


def test_what_lay_in_an_archive_is_called_by_its_name_there(own_library, tmp_path):
    save(tmp_path / "in" / "m.pth", small_model())
    save_index(tmp_path / "in" / "added.index", 256)
    with zipfile.ZipFile(tmp_path / "voice.zip", "w") as archive:
        for file in (tmp_path / "in").iterdir():
            archive.write(file, f"miku/{file.name}")
    message = refusal(take_in, Wishes(tmp_path / "voice.zip"))
    assert message.startswith(f"{tmp_path / 'voice.zip'}: miku/added.index holds rows of width 256")


def test_a_full_disk_is_the_disk_s_fault(own_library, tmp_path, monkeypatch):
    import safetensors
    import safetensors.numpy

    def full(*given):
        raise safetensors.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(ResourceError, match="No space left"):
        take_in(Wishes(save(tmp_path / "m.pth", small_model())))
    assert not list(own_library.glob("*"))


def test_a_sovits_model_of_an_unusual_rate_needs_its_config(own_library, tmp_path):
    odd = replace(
        SOVITS, sample_rate=32_000, hop_samples=256, upsample_rates=(8, 8, 4), upsample_kernels=(16, 16, 8)
    )
    model = save(tmp_path / "G_1.pth", training_state(odd))
    with pytest.raises(WeightsError, match="what sample rate"):
        take_in(Wishes(model))
    save_config(tmp_path / "config.json", sovits_config(odd))
    assert take_in(Wishes(model)).card.sample_rate == 32_000


def test_an_rvc_model_does_not_heed_a_stranger_s_config(own_library, tmp_path):
    model = save(tmp_path / "m.pth", small_model())
    save_config(tmp_path / "config.json", sovits_config())
    assert take_in(Wishes(model)).card.sample_rate == RVC.sample_rate


def test_the_first_singer_is_one_that_was_trained(own_library, tmp_path):
    model = save(tmp_path / "G_1.pth", training_state(SOVITS))
    save_config(tmp_path / "config.json", sovits_config(spk={"me": 2}))
    card = take_in(Wishes(model)).card
    assert (card.singers, card.first_singer) == (["speaker 0", "speaker 1", "me"], 2)
    plain = card.model_copy(update={"singers": ["speaker 0", "speaker 1"]})
    assert isinstance(plain, VoiceCard)
    assert plain.first_singer == 0
    assert card.model_copy(update={"singers": []}).first_singer == 0


def test_pickles_of_protocol_two_are_read_alike(tmp_path):
    table = clusters(4, "anna")
    path = tmp_path / "k.pt"
    torch.save(table, path, pickle_protocol=2)
    with TorchFile.open(path) as file:
        assert np.array_equal(read_clusters(file, "k.pt")["anna"], table["anna"]["cluster_centers_"])
