"""The .index of a voice: read and written as faiss does, and never believed."""

from __future__ import annotations

import struct
import tracemalloc

import faiss
import numpy as np
import pytest
from community_models import save_index
from parity_weights import drawn, vectors

from covermaker.errors import WeightsError
from covermaker.voices.community.ivf_file import KINDS, read_ivf, row_count, write_ivf


def test_rows_of_the_original_file_come_back_in_their_order(tmp_path):
    (tmp_path / "a.index").write_bytes(vectors("misc")["ivf_bytes"].tobytes())
    index = read_ivf(tmp_path / "a.index", "a")
    assert np.array_equal(index.rows, vectors("misc")["index_vectors"])
    assert (index.centres.shape, index.nprobe) == ((7, 8), 1)
    nearest = np.square(index.rows[:, None] - index.centres[None]).sum(axis=2).argmin(axis=1)
    assert np.array_equal(index.lists, nearest)
    write_ivf(tmp_path / "b.index", index)
    assert (tmp_path / "b.index").read_bytes() == (tmp_path / "a.index").read_bytes()


def test_faiss_searches_what_was_written(tmp_path):
    table = save_index(tmp_path / "a.index", 256, nprobe=2)
    index = read_ivf(tmp_path / "a.index", "a")
    assert index.nprobe == 2
    write_ivf(tmp_path / "b.index", index)
    found = faiss.read_index(str(tmp_path / "b.index"))
    assert np.array_equal(found.reconstruct_n(0, len(table)), table)
    asked = table[:5] + 0.01
    theirs = faiss.read_index(str(tmp_path / "a.index")).search(asked, 8)
    for ours, other in zip(found.search(asked, 8), theirs, strict=True):
        assert np.array_equal(ours, other)


def test_lists_that_are_mostly_empty_are_written_in_another_way(tmp_path):
    rows = drawn("index", "rows", (50, 4))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(4), 4, 500)
    centres = np.concatenate([drawn("index", "c", (2, 4)), drawn("index", "far", (498, 4)) + 100])
    index.train(centres.repeat(2, axis=0))
    index.quantizer.reset()
    index.quantizer.add(centres)
    index.add(rows)
    faiss.write_index(index, str(tmp_path / "a.index"))
    assert b"sprs" in (tmp_path / "a.index").read_bytes()
    found = read_ivf(tmp_path / "a.index", "a")
    assert np.array_equal(found.rows, rows)
    assert set(found.lists) <= {0, 1}


def test_rows_with_numbers_of_their_own_stay_as_they_lie(tmp_path):
    index = faiss.index_factory(4, "IVF2,Flat")
    rows = drawn("index", "rows", (90, 4))
    index.train(rows)
    index.add_with_ids(rows, np.arange(90) * 7)
    faiss.write_index(index, str(tmp_path / "a.index"))
    found = read_ivf(tmp_path / "a.index", "a")
    assert {row.tobytes() for row in found.rows} == {row.tobytes() for row in rows}


def test_an_index_cut_anywhere_is_refused(tmp_path):
    save_index(tmp_path / "a.index", 8)
    data = (tmp_path / "a.index").read_bytes()
    for length in [*range(4, 300), *range(300, len(data), 53), len(data) - 1]:
        (tmp_path / "a.index").write_bytes(data[:length])
        with pytest.raises(WeightsError, match=r"^a: it is cut off, or damaged|^a: its"):
            read_ivf(tmp_path / "a.index", "a")


def test_the_trained_file_has_no_rows(tmp_path):
    index = faiss.index_factory(8, "IVF3,Flat")
    index.train(drawn("index", "rows", (120, 8)))
    faiss.write_index(index, str(tmp_path / "trained.index"))
    with pytest.raises(WeightsError, match="it is the trained_… file, to which none were added") as caught:
        read_ivf(tmp_path / "trained.index", "x")
    assert "added_…" in caught.value.hint
    assert row_count(tmp_path / "trained.index") == 0


@pytest.mark.parametrize("kind", ["Flat", "IVF3,PQ2", "IVF3,SQ8", "HNSW4", "IDMap,Flat", "PCA4,Flat", "SQ8"])
def test_other_kinds_are_named_and_refused(tmp_path, kind):
    index = faiss.index_factory(8, kind)
    rows = drawn("index", "rows", (400, 8))
    index.train(rows)
    index.add_with_ids(rows, np.arange(400)) if "IDMap" in kind else index.add(rows)
    faiss.write_index(index, str(tmp_path / "a.index"))
    assert (tmp_path / "a.index").read_bytes()[:4] in KINDS
    with pytest.raises(
        WeightsError, match=r"its content is an? (list|index|graph) .*which RVC does not make"
    ):
        read_ivf(tmp_path / "a.index", "x")
    assert row_count(tmp_path / "a.index") == -1


def test_another_distance_is_refused(tmp_path):
    index = faiss.index_factory(8, "IVF3,Flat", faiss.METRIC_INNER_PRODUCT)
    rows = drawn("index", "rows", (120, 8))
    index.train(rows)
    index.add(rows)
    faiss.write_index(index, str(tmp_path / "a.index"))
    with pytest.raises(WeightsError, match="another distance"):
        read_ivf(tmp_path / "a.index", "x")


def test_rows_that_are_not_finite_are_refused(tmp_path):
    rows = save_index(tmp_path / "a.index", 8)
    bad = rows[7].copy()
    bad[3] = np.nan
    data = (tmp_path / "a.index").read_bytes()
    assert rows[7].tobytes() in data
    (tmp_path / "a.index").write_bytes(data.replace(rows[7].tobytes(), bad.tobytes()))
    with pytest.raises(WeightsError, match="not finite"):
        read_ivf(tmp_path / "a.index", "x")


# Where a claim stands in a file of 3 lists and 120 rows of width 8, and how long it is.
HEAD = 4 + struct.calcsize("<iqqqBi")
CENTRES = HEAD + 16
TABLE = CENTRES + HEAD + 8 + 3 * 8 * 4
CLAIMS = {
    "width": (4, "<i"), "rows": (8, "<q"), "lists": (HEAD, "<Q"), "centres": (CENTRES + HEAD, "<Q"),
    "map": (TABLE + 1, "<Q"), "inverted lists": (TABLE + 13, "<Q"), "a row": (TABLE + 21, "<Q"),
    "lengths": (TABLE + 33, "<Q"), "a length": (TABLE + 41, "<Q"),
}  # fmt: skip


@pytest.mark.parametrize(("at", "form"), CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("claim", [0, 5, 1 << 30, (1 << 62) - 1])
def test_what_it_claims_takes_no_memory(tmp_path, at, form, claim):
    save_index(tmp_path / "a.index", 8)
    data = bytearray((tmp_path / "a.index").read_bytes())
    size = struct.calcsize(form)
    if data[at : at + size] == struct.pack("<Q", claim)[:size]:
        return  # that is what it has
    data[at : at + size] = struct.pack("<Q", claim)[:size]
    (tmp_path / "a.index").write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError) as caught:
            read_ivf(tmp_path / "a.index", "a")
        assert caught.value.message.startswith("a: it")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
