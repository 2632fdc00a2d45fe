"""What torch.save wrote, read without torch: the same numbers, and nothing that a file only claims."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from covermaker.errors import WeightsError
from covermaker.weights.torch_file import TorchFile, is_legacy, is_torch_archive

LAYOUTS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def save(path, content, zipped=True):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def read(path):
    with TorchFile.open(path) as file:
        claims = {name: file.claim(value) for name, value in file.content.items()}
        return dict(file.read({name: claim for name, claim in claims.items() if claim is not None}))


@LAYOUTS
@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.uint8, torch.bool],
)
def test_tensors_come_back_as_torch_reads_them(tmp_path, dtype, zipped):
    whole = torch.randn(6, 5, 4, generator=torch.Generator().manual_seed(1)) * 100
    content = OrderedDict(
        a=whole.abs().to(dtype), turned=whole.abs().to(dtype).transpose(0, 2), part=whole.abs().to(dtype)[1:3, ::2],
        none=torch.empty(0, 3, dtype=dtype), one=torch.tensor(3).to(dtype),
    )  # fmt: skip
    found = read(save(tmp_path / "x.pth", content, zipped))
    theirs = torch.load(tmp_path / "x.pth", weights_only=True)
    assert found.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert found[name].dtype == np.float32
        assert found[name].flags.c_contiguous
        assert np.array_equal(found[name], tensor.float().numpy())


@LAYOUTS
def test_parts_of_one_storage_parameters_and_plain_values(tmp_path, zipped):
    flat = torch.arange(100.0)
    content = {
        "first": flat[:50].reshape(5, 10), "second": flat[50:], "parameter": torch.nn.Parameter(flat[3:5].clone()),
        "size": torch.Size([2, 3]), "lr": 1e-4, "text": "é",
    }  # fmt: skip
    path = save(tmp_path / "x.pth", content, zipped)
    found = read(path)
    assert np.array_equal(found["first"].ravel(), np.arange(50))
    assert np.array_equal(found["second"], np.arange(50, 100))
    assert np.array_equal(found["parameter"], [3, 4])
    with TorchFile.open(path) as file:
        assert (file.content["lr"], file.content["text"]) == (1e-4, "é")


@LAYOUTS
def test_an_optimizer_is_not_read(tmp_path, zipped):
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(3)).sum().backward()
    optimizer.step()
    content = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "iteration": 7}
    with TorchFile.open(save(tmp_path / "G.pth", content, zipped)) as file:
        assert file.content["iteration"] == 7
        model = {name: file.claim(value) for name, value in file.content["model"].items()}
        found = dict(file.read(model))
    assert np.array_equal(found["weight"], network.weight.detach().numpy())


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@LAYOUTS
def test_a_file_that_would_run_something_is_refused_and_runs_nothing(tmp_path, zipped):
    content = {"weight": {"a": torch.ones(2)}, "info": Trap(tmp_path / "sprung")}
    with pytest.raises(
        WeightsError, match=r"x\.pth is more than weights: it asks for posix\.mkdir"
    ) as caught:
        TorchFile.open(save(tmp_path / "x.pth", content, zipped))
    assert "nothing of it was run" in caught.value.hint
    assert not (tmp_path / "sprung").exists()
    with TorchFile.open(tmp_path / "x.pth", foreign=True) as file:
        assert file.claim(file.content["info"]) is None
    assert not (tmp_path / "sprung").exists()


@LAYOUTS
def test_a_file_cut_anywhere_is_refused(tmp_path, zipped):
    path = save(tmp_path / "x.pth", {"a": torch.arange(300.0), "b": torch.arange(7).half()}, zipped)
    data = path.read_bytes()
    for length in [*range(0, 300, 7), *range(300, len(data) - 1, 41), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(WeightsError, match=r"x\.pth is no checkpoint that can be read"):
            read(path)


def test_a_changed_byte_of_a_tensor_is_noticed(tmp_path):
    path = save(tmp_path / "x.pth", {"a": torch.arange(300.0)})
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<3f", 100.0, 101.0, 102.0))
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="no checkpoint"):
        read(path)


@LAYOUTS
def test_numbers_that_are_not_finite_are_refused(tmp_path, zipped):
    for bad in (float("nan"), float("inf"), 1e300):
        content = {"a": torch.ones(4), "dec.b": torch.tensor([1.0, bad], dtype=torch.float64)}
        with pytest.raises(WeightsError, match=r"its tensor 'dec\.b' holds values that are not finite"):
            read(save(tmp_path / "x.pth", content, zipped))


def swap(path, old, new):
    """Change the description of a file, and its checksum with it."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = next(name for name in members if name.endswith("/data.pkl"))
    assert old in members[name]
    members[name] = members[name].replace(old, new)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


# 250 numbers, claimed to be many more: as the storage's length, or as the tensor's.
STORAGE, SHAPE = b"K\xfatq", b"K\xfa\x85"
HUGE = b"\x8a\x05" + (2_500_000_000).to_bytes(5, "little")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (STORAGE, HUGE + b"tq", r"a tensor claims 10000000000 bytes and the file has 1000 of them"),
        (SHAPE, HUGE + b"\x85", r"a tensor of 2500000000 numbers claims a storage of 250"),
        (SHAPE, b"J\xff\xff\xff\xff\x85", r"a tensor has a shape that is none"),
    ],
)
def test_ten_gigabytes_that_are_not_there_take_no_memory(tmp_path, old, new, words):
    path = save(tmp_path / "x.pth", {"a": torch.arange(250.0)})
    swap(path, old, new)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match=words):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_ten_gigabytes_in_the_earlier_layout_take_no_memory(tmp_path):
    path = save(tmp_path / "x.pth", {"a": torch.arange(250.0)}, zipped=False)
    data = path.read_bytes()
    assert STORAGE.replace(b"tq", b"Nt") in data
    wrong = data.replace(STORAGE.replace(b"tq", b"Nt"), HUGE + b"Nt")
    path.write_bytes(wrong.replace(struct.pack("<Q", 250), struct.pack("<Q", 2_500_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match="no checkpoint"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_tensor_that_lies_on_itself_is_refused(tmp_path):
    """A storage of one number can be shown as any shape, and would be gigabytes once copied."""
    path = save(tmp_path / "x.pth", {"a": torch.ones(1).expand(100_000, 100_000)})
    with pytest.raises(WeightsError, match="a tensor of 10000000000 numbers claims a storage of 1"):
        read(path)


def test_many_tensors_of_one_storage_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr("covermaker.weights.torch_file.MOST_BYTES", 10_000)
    flat = torch.zeros(1000)
    with pytest.raises(WeightsError, match=r"claims 0\.0 GB of numbers, which no voice has"):
        read(save(tmp_path / "x.pth", {str(number): flat for number in range(3)}))


def test_packed_members_are_refused_before_they_grow(tmp_path):
    path = save(tmp_path / "x.pth", {"a": torch.zeros(4_000_000)})
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    for packed in ("/data/0", "/data.pkl"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(
                    name, data, zipfile.ZIP_DEFLATED if name.endswith(packed) else zipfile.ZIP_STORED
                )
        assert packed != "/data/0" or path.stat().st_size < 100_000
        with pytest.raises(WeightsError, match="packed in a way that torch does not use"):
            read(path)


def test_a_directory_that_claims_too_much_is_not_read(tmp_path):
    path = tmp_path / "x.pth"
    entries = b"PK\x01\x02" + bytes(42)
    directory = entries * (9_000_000 // len(entries))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    path.write_bytes(directory + end)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match="no checkpoint"):
            TorchFile.open(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04", b"\x80\x02N.", b"\x80\x02}q\x00."])
def test_rubbish_is_refused(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(WeightsError, match="no checkpoint"):
        TorchFile.open(tmp_path / "x")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        TorchFile.open(tmp_path / "x")


@LAYOUTS
def test_a_file_of_a_big_endian_machine_is_refused(tmp_path, zipped):
    path = save(tmp_path / "x.pth", {"a": torch.ones(2)}, zipped)
    if zipped:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, b"big" if name.endswith("byteorder") else data)
    else:
        path.write_bytes(path.read_bytes().replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89", 1))
    with pytest.raises(WeightsError, match="another order of bytes"):
        read(path)


def test_files_are_told_apart_by_content(tmp_path):
    new, old = save(tmp_path / "a", {}), save(tmp_path / "b", {}, zipped=False)
    with zipfile.ZipFile(new) as archive:
        assert is_torch_archive(set(archive.namelist()))
    assert not is_torch_archive({"model.pth", "folder/data.pkl"})
    assert is_legacy(Path(old).read_bytes()[:16])
    assert not is_legacy(Path(new).read_bytes()[:16])
