"""Which files make a voice, in a file, a folder or a zip file; and archives that mean harm."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
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

from covermaker.disk import free_bytes
from covermaker.errors import ResourceError, UsageError, WeightsError
from covermaker.voices.community import unpack as unpacking
from covermaker.voices.community.find import found
from covermaker.voices.community.model import read_model
from covermaker.weights.torch_file import TorchFile


def names(path, **given):
    """Return what is found, as names."""
    with found(path, **given) as files:
        assert files.model.is_file()
        return [file and file.name for file in (files.model, files.config, files.index, files.clusters)]


def refusal(path, kind=WeightsError, **given):
    with pytest.raises(kind) as caught, found(path, **given):
        pass
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.message


@pytest.fixture
def rvc(tmp_path):
    """A folder as people share it: names that say nothing, a text, hidden files."""
    save(tmp_path / "miku" / "weights" / "Miku_e300_s9000.bin", small_model())
    save_index(tmp_path / "miku" / "added_IVF3_Flat_nprobe_1_Miku_v2.index", 768)
    (tmp_path / "miku" / "readme.txt").write_text("Sing well.")
    (tmp_path / "miku" / ".hidden.pth").write_bytes(b"x")
    (tmp_path / "miku" / "__MACOSX").mkdir()
    save(tmp_path / "miku" / "__MACOSX" / "other.pth", small_model())
    return tmp_path / "miku"


def zipped(folder, path, compress=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compress) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def test_a_file_is_taken_as_it_is_with_what_lies_beside_it(rvc, tmp_path):
    model = rvc / "weights" / "Miku_e300_s9000.bin"
    assert names(model) == [model.name, None, None, None]
    save_index(model.with_name("miku.index"), 768)
    save_index(model.with_name("rin.index"), 768)
    assert names(model) == [model.name, None, "miku.index", None]
    save_config(model.with_name("config.json"), {"model": {}, "data": {}})
    assert names(model)[1] == "config.json"
    model.with_name("config.json").write_text("{}")
    assert names(model)[1] is None
    given = tmp_path / "given.json"
    save_config(given, {"model": {}, "data": {}})
    assert names(model, config=given)[1] == "given.json"


def test_a_folder_and_a_zip_file_hold_the_same(rvc, tmp_path):
    expected = ["Miku_e300_s9000.bin", None, "added_IVF3_Flat_nprobe_1_Miku_v2.index", None]
    assert names(rvc) == expected
    path = zipped(rvc, tmp_path / "miku.anything")
    assert names(path) == expected
    with found(path) as files:
        assert files.called == f"{path}: miku/weights/Miku_e300_s9000.bin"
        place = files.model
        assert not list(place.parents[1].glob("*.txt"))  # what no voice is made of is not unpacked
    assert not place.exists()


def test_so_vits_in_a_folder(tmp_path):
    home = tmp_path / "anna"
    save(home / "logs" / "44k" / "G_800.pth", training_state(SOVITS))
    save(home / "logs" / "44k" / "D_800.pth", {"model": {"discriminators.0.convs.0.bias": torch.ones(2)}})
    save(home / "logs" / "44k" / "kmeans_10000.pt", clusters(768, "anna"))
    save_config(home / "configs" / "config.json", sovits_config())
    save(home / "dataset" / "a.spec.pt", torch.ones(3))
    assert names(home) == ["G_800.pth", "config.json", None, "kmeans_10000.pt"]
    save_config(home / "configs" / "diffusion.json", sovits_config())
    message = refusal(home, UsageError)
    assert message == f"{home} holds 2 configs: configs/config.json, configs/diffusion.json"
    save_config(home / "logs" / "44k" / "config.json", sovits_config())
    assert names(home)[1] == "config.json"


def test_of_several_models_one_has_to_be_named(tmp_path):
    for number in range(10):
        save(tmp_path / "logs" / f"G_{number}.pth", small_model())
    message = refusal(tmp_path / "logs", UsageError)
    listed = ", ".join(f"G_{number}.pth" for number in range(8))
    assert message == f"{tmp_path / 'logs'} holds 10 models: {listed} and 2 more"
    with pytest.raises(UsageError) as caught, found(zipped(tmp_path / "logs", tmp_path / "logs.zip")):
        pass
    assert caught.value.hint == "unpack it, and name one of them"


def test_of_several_indexes_the_one_with_rows_and_the_model_s_name(rvc):
    save_index(rvc / "added_rin.index", 768)
    assert names(rvc)[2] == "added_IVF3_Flat_nprobe_1_Miku_v2.index"
    (rvc / "added_IVF3_Flat_nprobe_1_Miku_v2.index").rename(rvc / "x.index")
    assert "holds 2 indexes" in refusal(rvc, UsageError)
    trained = struct.pack("<4siqqqBi", b"IwFl", 768, 0, 0, 0, 1, 1)
    (rvc / "added_rin.index").write_bytes(trained)
    assert names(rvc)[2] == "x.index"
    assert names(rvc, index=rvc / "added_rin.index")[2] == "added_rin.index"


def test_a_voice_has_an_index_or_clusters(tmp_path):
    home = tmp_path / "anna"
    save(home / "G_1.pth", training_state(SOVITS))
    save(home / "k.pt", clusters(768, "anna"))
    save_index(home / "a.index", 768)
    assert names(home, clusters=home / "k.pt")[2:] == [None, "k.pt"]
    assert names(home, index=home / "a.index")[2:] == ["a.index", None]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 and no more", "is a damaged archive"),
        (b"\x93NUMPY\x01\x00", "is an array of numpy; RVC's oldest index"),
        (b"7z\xbc\xaf\x27\x1c\x00", "is a 7z archive: unpack it first"),
        (b"Rar!\x1a\x07\x01\x00", "is a RAR archive"),
        (b"\x1f\x8b\x08\x00", "is packed by gzip"),
        (b"<!DOCTYPE html><html>", "is a web page: was the download"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a pointer to a file that was not fetched"),
        (b"RIFF\x00\x00\x00\x00WAVE", "is a sound file"),
        (struct.pack("<Q", 2) + b"{}", "is a safetensors file"),
        (b"anything", "is no model of RVC or so-vits-svc"),
        (b'{"a": 1}', "is no model of RVC or so-vits-svc"),
        (json.dumps({"model": {}, "data": {}}).encode(), "is a model's config, not the model"),
        (struct.pack("<4siqqqBi", b"IwFl", 8, 9, 0, 0, 1, 1), "is the index of a voice, not its model"),
        (b"\x80\x04N.", "is a raw pickle, which only opens by running what it names"),
        (b"\x80\x04 damaged", "is a raw pickle"),
    ],
)
def test_a_file_that_is_something_else_is_named(tmp_path, content, words):
    (tmp_path / "model.pth").write_bytes(content)
    assert refusal(tmp_path / "model.pth").startswith(f"{tmp_path / 'model.pth'} {words}")


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_raw_pickle_says_what_it_would_run(tmp_path):
    (tmp_path / "feature_and_index.pkl").write_bytes(pickle.dumps({0: Trap(tmp_path / "sprung")}))
    message = refusal(tmp_path / "feature_and_index.pkl")
    assert message.endswith("is a raw pickle, which only opens by running what it names: posix.mkdir")
    assert not (tmp_path / "sprung").exists()


def test_what_a_folder_holds_instead_is_told(tmp_path):
    folder = tmp_path / "logs"
    save(folder / "D_800.pth", {"model": {"discriminators.0.convs.0.bias": torch.ones(2)}})
    assert "it is the discriminator of a training" in refusal(folder)
    save(folder / "model_800.pt", {"model": OrderedDict({"unit2ctrl.a": torch.ones(2)})})
    (folder / "D_800.pth").unlink()
    assert "model_800.pt: it is a DDSP-SVC model" in refusal(folder)
    (folder / "model_800.pt").unlink()
    assert "holds no model" in refusal(folder, UsageError)
    zipped(folder, folder / "inner.zip")
    assert "inner.zip is an archive itself" in refusal(folder)


def test_a_trap_in_a_folder_is_never_sprung(tmp_path):
    folder = tmp_path / "logs"
    save(folder / "model.pth", {"weight": {"a": Trap(tmp_path / "sprung")}})
    save(folder / "old.pth", {"weight": {"a": Trap(tmp_path / "sprung")}}, legacy=True)
    (folder / "raw.pkl").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    assert "asks for posix.mkdir" in refusal(folder)
    assert "asks for posix.mkdir" in refusal(zipped(folder, tmp_path / "logs.zip"))
    assert not (tmp_path / "sprung").exists()


def test_what_is_not_there(tmp_path):
    assert refusal(tmp_path / "x.pth", UsageError) == f"there is no file {tmp_path / 'x.pth'}"
    save(tmp_path / "model.pth", small_model())
    assert "there is no file" in refusal(tmp_path / "model.pth", UsageError, index=tmp_path / "x.index")
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe", UsageError) == f"{tmp_path / 'pipe'} is no file"
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe")
    assert "holds no model" in refusal(tmp_path / "folder", UsageError)


def test_a_folder_of_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr("covermaker.voices.community.find.MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text("x")
    assert "holds more than 3 files" in refusal(tmp_path, UsageError)


# Archives that mean harm


def archive(path, *entries):
    """Write a zip file of (name or ZipInfo, content)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in entries:
            out.writestr(name, data)
    return path


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


@pytest.fixture
def model(tmp_path):
    return save(tmp_path / "made" / "model.pth", small_model()).read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.pth",
        "a/../../evil.pth",
        "/evil.pth",
        "C:\\evil.pth",
        "..\\evil.pth",
        "\\\\host\\evil.pth",
        "a/..",
    ],
)
def test_names_that_lead_outside_are_refused(tmp_path, model, name):
    path = archive(tmp_path / "x.zip", ("good.pth", model), (name, b"PK\x03\x04"))
    before = sorted(tmp_path.rglob("*"))
    assert "leads outside" in refusal(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_names_that_come_twice_are_refused(tmp_path, model):
    path = archive(tmp_path / "x.zip", ("good.pth", model), (link("more"), b"/etc"))
    assert refusal(path) == f"{path} holds a link, 'more'"
    with pytest.warns(UserWarning, match="Duplicate"):
        archive(path, ("good.pth", model), ("good.pth", model))
    assert refusal(path) == f"{path} holds 'good.pth' twice"


def test_a_bomb_is_not_unpacked(tmp_path, model):
    bomb = b"\x80" + bytes(70_000_000)
    path = archive(tmp_path / "x.zip", ("good.pth", model), ("bomb.pth", bomb))
    assert path.stat().st_size < 500_000
    assert "would grow from" in refusal(path)


def test_what_is_large_without_growing_has_a_limit_too(tmp_path, model, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_BYTES", 1000)
    assert "would grow from" in refusal(archive(tmp_path / "x.zip", ("good.pth", model)))


def test_a_member_that_is_longer_than_it_says_is_cut_and_refused(tmp_path, model):
    path = archive(tmp_path / "x.zip", ("good.pth", model))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 1000)
    path.write_bytes(data)
    assert refusal(path) == f"{path} is a damaged archive"


def test_too_many_files_and_a_locked_one(tmp_path, model, monkeypatch):
    path = archive(tmp_path / "x.zip", ("good.pth", model))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "is locked with a password" in refusal(path)
    monkeypatch.setattr(unpacking, "MOST_FILES", 0)
    assert "holds more than 0 files" in refusal(path)


def test_a_damaged_archive_and_a_full_disk(tmp_path, model, monkeypatch):
    path = archive(tmp_path / "x.zip", ("good.pth", model))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert refusal(path) == f"{path} is a damaged archive"
    archive(path, ("good.pth", model))
    monkeypatch.setattr(unpacking, "free_bytes", lambda place: 1000 if free_bytes(place) else 0)
    assert "are free" in refusal(path, ResourceError)


def test_an_archive_in_an_archive_is_not_opened(tmp_path, model):
    inner = archive(tmp_path / "inner.zip", ("good.pth", model))
    path = archive(tmp_path / "x.zip", ("a/inner.zip", inner.read_bytes()))
    assert refusal(path) == f"{path}: a/inner.zip is an archive itself"


def test_a_model_of_other_sizes_is_found_too(tmp_path):
    save(tmp_path / "m" / "a.pth", small_model(replace(RVC, hidden=16, heads=4)))
    np.save(tmp_path / "m" / "total_fea.npy", np.ones(3))
    assert names(tmp_path / "m")[0] == "a.pth"


def test_what_a_stranger_wrote_cannot_move_the_terminal_s_cursor(tmp_path):
    evil = "a\x1b[2J\nb"
    path = archive(tmp_path / "x.zip", (f"../{evil}", b"x"))
    assert "\x1b" not in refusal(path)
    save(tmp_path / "m" / "model.pth", {"weight": {f"pre.{evil}": torch.ones(2), "enc_p.x": torch.ones(1)}})
    with (
        TorchFile.open(tmp_path / "m" / "model.pth") as file,
        pytest.raises(WeightsError, match="it holds 'pre") as caught,
    ):
        read_model(file, None)
    assert "\x1b" not in str(caught.value)
    code = b"\x80\x04\x8c\x06a\x1b[2Jb\x8c\x01x\x93."
    (tmp_path / "raw.pkl").write_bytes(code)
    assert "\x1b" not in refusal(tmp_path / "raw.pkl")


def test_a_pipe_beside_a_model_is_not_waited_for(tmp_path):
    save(tmp_path / "miku.pth", small_model())
    os.mkfifo(tmp_path / "miku.index")
    os.mkfifo(tmp_path / "config.json")
    assert names(tmp_path / "miku.pth") == ["miku.pth", None, None, None]
    assert "is no file" in refusal(tmp_path / "miku.pth", UsageError, index=tmp_path / "miku.index")
