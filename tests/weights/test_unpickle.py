"""Foreign pickles: arrays and nothing else."""

from __future__ import annotations

import os
import pickle
import zipfile
from fractions import Fraction

import numpy as np
import pytest

from covermaker.errors import WeightsError
from covermaker.weights.catalog import locate
from covermaker.weights.pickled import Made, Named
from covermaker.weights.unpickle import read_arrays, read_outline


@pytest.fixture
def archive(tmp_path):
    def write(content, protocol=2):
        path = tmp_path / "w.ckpt"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("w/data.pkl", pickle.dumps(content, protocol=protocol))
        return path

    return write


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_come_back(archive, protocol):
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(1, np.float32)}
    back = read_arrays(archive(arrays, protocol))
    assert back.keys() == arrays.keys()
    assert all(np.array_equal(back[name], array) for name, array in arrays.items())


def test_the_packaged_checkpoint_is_read_as_torch_reads_it():
    """The weights of one network, against the package's own way of loading them."""
    from covermaker.weights.device import torch_ready

    torch = torch_ready()
    path = locate("spleeter-2stems-vocals")
    theirs = torch.load(path, weights_only=False)
    ours = read_arrays(path)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def test_code_is_refused_and_not_run(archive, tmp_path):
    path = archive({"a": Trap(tmp_path / "sprung")})
    with pytest.raises(WeightsError, match=r"it asks for posix\.mkdir"):
        read_arrays(path)
    outlined = read_outline(path)["a"]
    assert isinstance(outlined, Made)
    assert outlined.by == Named("posix", "mkdir")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {1: np.zeros(2, np.float32)}, {"a": np.zeros(2)}])
def test_other_content_is_refused(archive, content):
    with pytest.raises(WeightsError):
        read_arrays(archive(content))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_rubbish_is_refused(tmp_path, content):
    (tmp_path / "w").write_bytes(content)
    for read in (read_arrays, read_outline):
        with pytest.raises(WeightsError, match="no checkpoint"):
            read(tmp_path / "w")


def test_an_archive_without_a_pickle(tmp_path):
    with zipfile.ZipFile(tmp_path / "w", "w") as file:
        file.writestr("other", b"")
    with pytest.raises(WeightsError, match="no checkpoint"):
        read_arrays(tmp_path / "w")


def test_an_outline_tells_classes_and_plain_values(archive):
    outline = read_outline(
        archive({"klass": pickle.Pickler, "kwargs": {"segment": Fraction(39, 5), "n": [1]}})
    )
    assert outline["klass"].name == "Pickler"
    assert outline["kwargs"] == {"segment": Fraction(39, 5), "n": [1]}
