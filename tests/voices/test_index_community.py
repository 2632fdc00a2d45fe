"""What imported voices look up: inverted lists and k-means centres, against the original programs' answers."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from covermaker.errors import CovermakerError, WeightsError
from covermaker.voices import nearest as nearest_room
from covermaker.voices.index import build_index
from covermaker.voices.index_centres import write_centres
from covermaker.voices.index_ivf import write_ivf
from covermaker.voices.nearest import nearest_rows
from covermaker.voices.retrieval import open_index

MISC = Path(__file__).parents[1] / "parity" / "misc.npz"


@pytest.fixture(scope="module")
def stored():
    with np.load(MISC) as arrays:
        return dict(arrays)


@pytest.fixture
def opened(tmp_path):
    """Write inverted lists and open them: opened(rows, centres, lists, nprobe)."""

    def build(rows, centres=None, lists=None, nprobe=1):
        centres = rows.mean(axis=0, keepdims=True) if centres is None else centres
        lists = np.zeros(len(rows), np.int64) if lists is None else lists
        digest = write_ivf(tmp_path / "index.npz", rows, centres, lists, nprobe)
        return open_index(tmp_path / "index.npz", sha256=digest)

    return build


def ids_of(index, content):
    places, squares = index.nearest(content)
    return np.where(places >= 0, index.ids[np.maximum(places, 0)], -1), squares


def clustered(count, lists, seed=0, width=16, dtype=np.float32):
    """Rows round centres, and the list of each."""
    rng = np.random.default_rng(seed)
    centres = 3 * rng.standard_normal((lists, width)).astype(np.float32)
    belongs = rng.integers(0, lists, count)
    rows = (centres[belongs] + rng.standard_normal((count, width))).astype(dtype)
    return rows, centres, belongs


def test_one_list_searches_exactly_as_published(opened, stored):
    index, asked = opened(stored["index_vectors"]), stored["queries"]
    ids, squares = ids_of(index, asked)
    np.testing.assert_array_equal(ids, stored["retr_ids"])
    np.testing.assert_allclose(squares, stored["retr_sqdist"], atol=1e-5)
    np.testing.assert_allclose(index.blend(asked, 1.0), stored["retr_blend"], atol=1e-5)
    np.testing.assert_allclose(index.blend(asked, 0.75), stored["retr_rate75"], atol=1e-5)


def lists_of(stored):
    """Read the lists of the stored faiss file: 7 of them, with one centre each."""
    data = stored["ivf_bytes"].tobytes()
    at = data.index(b"IxF2") + 4 + 33
    count = int(np.frombuffer(data, "<u8", 1, at)[0])
    centres = np.frombuffer(data, "<f4", count, at + 8).reshape(-1, 8)
    at = data.index(b"full") + 4
    sizes = np.frombuffer(data, "<u8", int(np.frombuffer(data, "<u8", 1, at)[0]), at + 8).astype(int)
    at += 8 + 8 * len(sizes)
    lists = np.full(300, -1)
    for number, size in enumerate(sizes):
        at += 4 * 8 * size
        lists[np.frombuffer(data, "<i8", size, at)] = number
        at += 8 * size
    return centres, lists


def test_one_probed_list_answers_as_published(opened, stored):
    centres, lists = lists_of(stored)
    index = opened(stored["index_vectors"], centres, lists, nprobe=1)
    ids, squares = ids_of(index, stored["queries"])
    np.testing.assert_array_equal(ids, stored["ivf_np1_ids"])
    np.testing.assert_allclose(squares, stored["ivf_np1_sqdist"], atol=1e-5)
    blend = index.blend(stored["queries"], 1.0)
    np.testing.assert_allclose(blend, stored["ivf_np1_blend_peer"], atol=1e-5)


def test_all_lists_probed_are_an_exact_search(opened, stored):
    centres, lists = lists_of(stored)
    ids, _ = ids_of(opened(stored["index_vectors"], centres, lists, nprobe=99), stored["queries"])
    np.testing.assert_array_equal(ids, stored["retr_ids"])


@pytest.mark.parametrize("nprobe", [1, 3])
def test_the_search_is_that_of_faiss(opened, nprobe):
    """Queries between the lists, 40 rows each on average: also lists with fewer than eight rows."""
    import faiss

    rows, centres, lists = clustered(800, 60)
    asked = clustered(200, 60, seed=5)[0]
    flat = faiss.IndexFlatL2(16)
    flat.add(centres)
    theirs = faiss.IndexIVFFlat(flat, 16, 60)
    theirs.is_trained, theirs.nprobe = True, nprobe
    numbers = np.arange(len(rows), dtype=np.int64)
    theirs.add_core(len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(numbers), faiss.swig_ptr(lists))
    squares, ids = theirs.search(asked, 8)
    found, distances = ids_of(opened(rows, centres, lists, nprobe), asked)
    np.testing.assert_array_equal(found, ids)
    assert (ids < 0).any() == (nprobe == 1)
    np.testing.assert_allclose(distances[ids >= 0], squares[ids >= 0], rtol=1e-4)
    assert np.isinf(distances[ids < 0]).all()


def test_missing_neighbours_have_no_weight(opened):
    """Three rows in the list that is looked into: their mean by (1/d)², and nothing of the last row of the table."""
    rows = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 4.0], [90.0, 90.0]], np.float32)
    centres = np.array([[0.0, 0.0], [50.0, 50.0]], np.float32)
    index = opened(rows, centres, np.array([0, 0, 0, 1]))
    weights = 1.0 / np.array([1.0, 4.0, 16.0]) ** 2
    expected = (weights * [1.0, 2.0, 4.0]).sum() / weights.sum()
    np.testing.assert_allclose(index.blend(np.zeros((1, 2), np.float32), 1.0), [[0.0, expected]], rtol=1e-6)


def test_an_empty_list_leaves_the_content(opened):
    rows = np.ones((3, 2), np.float32)
    index = opened(rows, np.array([[0.0, 0.0], [9.0, 9.0]], np.float32), np.array([1, 1, 1]))
    asked = np.array([[0.1, 0.1], [8.0, 8.0]], np.float32)
    blended = index.blend(asked, 1.0)
    np.testing.assert_array_equal(blended[0], asked[0])
    np.testing.assert_allclose(blended[1], 1.0)


def test_a_row_that_was_trained_stays_itself(opened):
    rows, centres, lists = clustered(500, 10)
    np.testing.assert_allclose(opened(rows, centres, lists).blend(rows[:20], 1.0), rows[:20], atol=1e-5)


def test_each_answer_depends_on_its_row_alone(opened):
    rows, centres, lists = clustered(3000, 50)
    index, asked = opened(rows, centres, lists, nprobe=2), clustered(1300, 50, seed=7)[0]
    whole = index.blend(asked, 0.8)
    for step in (1, 300, 701):
        parts = [index.blend(asked[at : at + step], 0.8) for at in range(0, 1300 if step > 1 else 40, step)]
        joined = np.concatenate(parts)
        np.testing.assert_array_equal(joined, whole[: len(joined)])


def test_the_ratio_may_differ_by_row(opened):
    rows, centres, lists = clustered(500, 10)
    index, asked = opened(rows, centres, lists), clustered(50, 10, seed=3)[0]
    ratio = np.linspace(0, 1, 50)
    whole = index.blend(asked, 1.0)
    np.testing.assert_allclose(index.blend(asked, ratio), asked + ratio[:, None] * (whole - asked), atol=1e-5)
    np.testing.assert_array_equal(index.blend(asked, ratio)[0], asked[0])


def test_half_precision_stays_half_and_counts_as_it_is(opened, tmp_path):
    rows, centres, lists = clustered(500, 10, dtype=np.float16)
    asked = clustered(50, 10, seed=3)[0]
    half = opened(rows, centres, lists)
    assert half.rows.dtype == np.float16
    blended = half.blend(asked, 1.0)
    np.testing.assert_array_equal(blended, opened(rows.astype(np.float32), centres, lists).blend(asked, 1.0))


def test_the_original_order_can_be_had_again(opened):
    rows, centres, lists = clustered(300, 7)
    index = opened(rows, centres, lists)
    again = np.empty_like(rows)
    again[index.ids] = index.rows
    np.testing.assert_array_equal(again, rows)
    assert (len(index), index.width) == (300, 16)


def test_the_same_rows_give_the_same_file(tmp_path):
    parts = clustered(300, 7)
    digests = {write_ivf(tmp_path / f"{number}.npz", *parts, 1) for number in range(2)}
    assert len(digests) == 1


def test_a_search_leaves_a_large_table_on_the_disk(tmp_path):
    """40,000 rows of 256: 41 MB that are mapped; a search of 500 rows takes a fraction of that."""
    rows, centres, lists = clustered(40_000, 400, width=256)
    write_ivf(tmp_path / "index.npz", rows, centres, lists, 1)
    asked = clustered(500, 400, seed=1, width=256)[0]
    tracemalloc.start()
    index = open_index(tmp_path / "index.npz")
    assert isinstance(index.rows, np.memmap)
    index.blend(asked, 0.75)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.7 * rows.nbytes


def test_candidates_beyond_one_look_are_kept(monkeypatch):
    """The table is looked at in parts: the nearest of all are found wherever they lie."""
    rng = np.random.default_rng(0)
    table, asked = rng.standard_normal((2000, 12)).astype(np.float32), rng.standard_normal((30, 12))
    whole = nearest_rows(asked.astype(np.float32), table, 5)
    monkeypatch.setattr(nearest_room, "_LOOKED_AT", 17)
    parts = nearest_rows(asked.astype(np.float32), table, 5)
    exact = np.square(asked.astype(np.float32)[:, None].astype(np.float64) - table).sum(axis=2)
    np.testing.assert_array_equal(parts[0], np.argsort(exact, axis=1)[:, :5])
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_table_of_few_rows():
    numbers, squares = nearest_rows(np.zeros((2, 3), np.float32), np.ones((1, 3), np.float32), 8)
    assert numbers.tolist() == [[0], [0]]
    assert squares.tolist() == [[3.0], [3.0]]
    assert nearest_rows(np.zeros((0, 3), np.float32), np.ones((4, 3), np.float32), 2)[0].shape == (0, 2)


# Centres


def test_the_nearest_centre_is_mixed_in_by_the_ratio(tmp_path):
    rng = np.random.default_rng(0)
    centres, asked = (
        rng.standard_normal((200, 8)).astype(np.float32),
        rng.standard_normal((70, 8)).astype(np.float32),
    )
    index = open_index(tmp_path / "c.npz", sha256=write_centres(tmp_path / "c.npz", centres))
    assert (len(index), index.width, index.DEFAULT_RATIO) == (200, 8, 0.0)
    nearest = centres[np.square(asked[:, None] - centres).sum(axis=2).argmin(axis=1)]
    np.testing.assert_array_equal(index.blend(asked, 1.0), nearest)
    np.testing.assert_allclose(index.blend(asked, 0.4), 0.4 * nearest + 0.6 * asked, atol=1e-6)
    np.testing.assert_array_equal(index.blend(asked, 0.0), asked)


def test_each_singer_has_centres_of_their_own(tmp_path):
    one, other = np.full((5, 4), 1.0, np.float32), np.full((9, 4), 2.0, np.float32)
    write_centres(tmp_path / "c.npz", [one, np.zeros((0, 4), np.float32), other])
    index = open_index(tmp_path / "c.npz")
    asked = np.zeros((3, 4), np.float32)
    assert [index.blend(asked, 1.0, singer=who).mean() for who in range(3)] == [1.0, 0.0, 2.0]
    write_centres(tmp_path / "shared.npz", one)
    assert open_index(tmp_path / "shared.npz").blend(asked, 1.0, singer=2).mean() == 1.0


# Files


def test_every_kind_is_told_by_the_file(tmp_path):
    rows, centres, lists = clustered(100, 3)
    write_ivf(tmp_path / "ivf.npz", rows, centres, lists, 1)
    write_centres(tmp_path / "centres.npz", centres)
    build_index(rows, tmp_path / "own.npz", seed=0)
    ratios = [open_index(tmp_path / f"{kind}.npz").DEFAULT_RATIO for kind in ("ivf", "centres", "own")]
    assert ratios == [0.75, 0.0, 0.3]
    np.savez(tmp_path / "newer.npz", kind=np.array("graph"), rows=rows)
    with pytest.raises(WeightsError, match=r"of kind 'graph', known are own, ivf, centres"):
        open_index(tmp_path / "newer.npz")


def test_content_of_another_encoder_is_refused(opened, tmp_path):
    rows, centres, lists = clustered(100, 3)
    write_centres(tmp_path / "c.npz", centres)
    for index in (opened(rows, centres, lists), open_index(tmp_path / "c.npz")):
        with pytest.raises(WeightsError, match=r"width 16, this content has shape \(5, 8\)"):
            index.blend(np.zeros((5, 8), np.float32), 0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": np.zeros((0, 16))}, "needs rows of content"),
        ({"rows": np.full((100, 16), np.nan)}, "not finite"),
        ({"centres": np.full((3, 16), np.inf)}, "not finite"),
        ({"centres": np.zeros((3, 8))}, "does not fit together"),
        ({"lists": np.full(100, 3)}, "does not fit together"),
        ({"lists": np.full(100, -1)}, "does not fit together"),
        ({"lists": np.zeros(99, int)}, "does not fit together"),
        ({"nprobe": 0}, "does not fit together"),
    ],
)
def test_arrays_that_make_no_index(tmp_path, change, message):
    rows, centres, lists = clustered(100, 3)
    parts = {"rows": rows, "centres": centres, "lists": lists, "nprobe": 1}
    with pytest.raises(CovermakerError, match=message):
        write_ivf(tmp_path / "i.npz", **{**parts, **change})
    assert not list(tmp_path.iterdir())


def test_centres_that_make_no_index(tmp_path):
    for centres in ([np.zeros((2, 4)), np.zeros((2, 5))], np.full((2, 4), np.nan), np.zeros((0, 4)), []):
        with pytest.raises(CovermakerError):
            write_centres(tmp_path / "c.npz", centres)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"rows": np.zeros((100, 8), np.float32)},
        {"rows": np.full((100, 16), np.nan, np.float32)},
        {"rows": np.zeros((100, 16), np.int64)},
        {"rows": np.array([[object()]])},
        {"ids": np.zeros(99, np.int64)},
        {"ends": np.array([50, 20, 100])},
        {"ends": np.array([10, 20, 30])},
        {"ends": np.array([10, 20, 30.0])},
        {"nprobe": np.array(4)},
        {"nprobe": np.array([1])},
        {"centres": np.zeros((3, 16))},
    ],
)
def test_a_file_whose_arrays_do_not_fit(tmp_path, change):
    path = tmp_path / "i.npz"
    write_ivf(path, *clustered(100, 3), 1)
    with np.load(path) as arrays:
        parts = dict(arrays)
    np.savez(path, **{**parts, **change})
    with pytest.raises(WeightsError, match="is no index of content rows"):
        open_index(path)


def test_damaged_and_compressed_files(tmp_path):
    path = tmp_path / "i.npz"
    rows, centres, lists = clustered(100, 3)
    write_ivf(path, rows, centres, lists, 1)
    with np.load(path) as arrays:
        np.savez_compressed(tmp_path / "small.npz", **arrays)
    asked = clustered(5, 3, seed=9)[0]
    small = open_index(tmp_path / "small.npz")
    np.testing.assert_array_equal(small.blend(asked, 1.0), open_index(path).blend(asked, 1.0))
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:100]):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match="is no index of content rows"):
            open_index(path)


@pytest.mark.slow
def test_the_largest_published_index(tmp_path):
    """200,000 rows of 768 in 5128 lists, as RVC makes them: a song's search takes less memory than the rows do."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((5128, 768)).astype(np.float32)
    lists = rng.integers(0, len(centres), 200_000)
    rows = centres[lists]
    rows += 0.3 * rng.standard_normal(rows.shape, dtype=np.float32)
    write_ivf(tmp_path / "index.npz", rows, centres, lists, 1)
    asked = rows[::200] + np.float32(0.05)
    del rows
    tracemalloc.start()
    blended = open_index(tmp_path / "index.npz").blend(asked, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
    np.testing.assert_allclose(blended, asked, atol=0.1)
