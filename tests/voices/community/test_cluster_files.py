"""The cluster model of so-vits-svc."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from community_models import clusters, save

from covermaker.errors import WeightsError
from covermaker.voices.community.clusters import by_singers, read_clusters, saved_clusters
from covermaker.weights.torch_file import TorchFile


def read(path):
    with TorchFile.open(path) as file:
        return read_clusters(file, path.name)


@pytest.mark.parametrize("legacy", [False, True])
def test_centres_of_every_singer_come_back(tmp_path, legacy):
    table = clusters(256, "anna", "Ben é")
    found = read(save(tmp_path / "kmeans.pt", table, legacy=legacy))
    assert list(found) == ["anna", "Ben é"]
    for name, centres in found.items():
        assert np.array_equal(centres, table[name]["cluster_centers_"])


def test_centres_may_be_tensors_and_of_other_precision(tmp_path):
    table = clusters(4, "anna", "ben")
    for one, kind in zip(table.values(), (torch.from_numpy, lambda array: array.astype("f8")), strict=True):
        one["cluster_centers_"] = kind(one["cluster_centers_"])
    found = read(save(tmp_path / "kmeans.pt", table))
    assert {centres.dtype for centres in found.values()} == {np.dtype("f4")}
    assert np.array_equal(found["anna"], clusters(4, "anna")["anna"]["cluster_centers_"])


def test_sklearn_s_numbers_beside_them_do_no_harm(tmp_path):
    table = clusters(4, "anna")
    table["anna"] |= {"n_features_in_": np.int64(4), "inertia_": np.float64(2.5), "labels_": np.arange(3)}
    assert list(read(save(tmp_path / "kmeans.pt", table))) == ["anna"]


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_trap_is_refused(tmp_path):
    table = clusters(4, "anna")
    table["anna"]["n"] = Trap(tmp_path / "sprung")
    with pytest.raises(WeightsError, match=r"it asks for posix\.mkdir"):
        read(save(tmp_path / "kmeans.pt", table))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("centres", "words"),
    [
        (np.array([[1.0, np.nan]], "f4"), "not finite numbers"),
        (np.array([[1e300, 1.0]]), "not finite numbers"),
        (np.zeros((0, 4), "f4"), "no table of numbers"),
        (np.zeros(4, "f4"), "no table of numbers"),
        (np.zeros((2, 2), "i4"), "no table of numbers"),
        ("text", "no table of numbers"),
        (np.zeros((2, 5), "f4"), "differ in width"),
    ],
)
def test_other_tables_are_refused(tmp_path, centres, words):
    table = clusters(4, "anna", "ben")
    table["ben"]["cluster_centers_"] = centres
    with pytest.raises(WeightsError, match=words):
        read(save(tmp_path / "kmeans.pt", table))
    with pytest.raises(WeightsError, match="no cluster model"):
        read(save(tmp_path / "x.pt", {"anna": 1}))


def test_singers_get_their_own_centres():
    table = {name: one["cluster_centers_"] for name, one in clusters(4, "anna", "ben", "cora").items()}
    found, notes = by_singers(table, ["ben", "dora", "anna"])
    assert [len(part) for part in found] == [5, 0, 5]
    assert np.array_equal(found[0], table["ben"])
    assert notes == ["there are no clusters of 'dora'"]
    # A voice without names, or of one singer whatever the two files call it.
    assert by_singers({"x": table["anna"]}, []) == ([table["anna"]], [])
    assert by_singers({"x": table["anna"]}, ["y"]) == ([table["anna"]], [])
    assert by_singers(table, [])[1] == ["the clusters are of 3 singers: those of 'anna' are taken"]
    with pytest.raises(WeightsError, match="not of the voice's singers"):
        by_singers(table, ["x", "y"])


def test_what_is_saved_is_what_was_read(tmp_path):
    table = {name: one["cluster_centers_"] for name, one in clusters(4, "anna", "ben").items()}
    saved = saved_clusters(table)
    assert saved["anna"].keys() == clusters(4, "anna")["anna"].keys()
    again = read(save(tmp_path / "kmeans.pt", saved))
    assert all(np.array_equal(again[name], table[name]) for name in table)
