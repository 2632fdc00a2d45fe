"""The retrieval index: exact neighbours, the stated mean, one file for one set of rows, clear refusals."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from covermaker.errors import CovermakerError, ExitCode, WeightsError
from covermaker.voices import index as index_room
from covermaker.voices.card import VoiceCard, read_card
from covermaker.voices.index import ContentIndex, build_index
from covermaker.voices.retrieval import open_index

WIDTH = 16


def rows_of(count: int, seed: int = 0, width: int = WIDTH) -> np.ndarray:
    """Rows around 40 places, one column far larger than the rest."""
    places = np.random.default_rng(99).standard_normal((40, width))
    generator = np.random.default_rng(seed)
    rows = places[generator.integers(0, 40, count)] + 0.3 * generator.standard_normal((count, width))
    rows[:, 3] *= 200.0
    return rows.astype(np.float16)


@pytest.fixture
def opened(tmp_path):
    def built(rows: np.ndarray, seed: int = 1) -> ContentIndex:
        digest = build_index(rows, tmp_path / "index.npz", seed=seed)
        return open_index(tmp_path / "index.npz", sha256=digest)

    return built


def standard(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    return (values.astype(np.float64) - rows.mean(axis=0)) / rows.std(axis=0)


@pytest.mark.parametrize("count", [50, 9_000])
def test_neighbours_and_mean_are_those_of_the_formula(opened, count):
    """Against brute force in float64; 9000 rows are searched through inverted lists."""
    rows, asked = rows_of(count), rows_of(200, seed=5)
    index = opened(rows)
    assert (len(index), index.width) == (count, WIDTH)
    distances = np.square(standard(asked, rows)[:, None] - standard(rows, rows)[None]).sum(axis=2)
    order = np.argsort(distances, axis=1)[:, :8]
    _, squares = index.nearest(asked)
    best = np.take_along_axis(distances, order, axis=1)
    found = np.isclose(np.sort(squares, axis=1), best, rtol=1e-3).mean()
    assert found > (0.999 if count == 50 else 0.97)

    weights = 1.0 / best
    weights /= weights.sum(axis=1, keepdims=True)
    mean = np.einsum("nk,nkw->nw", weights, rows[order].astype(np.float64))
    expected = asked + 0.4 * (mean - asked)
    close = np.isclose(index.blend(asked, 0.4), expected, rtol=1e-2, atol=1e-2).all(axis=1)
    assert close.mean() > (0.99 if count == 50 else 0.9)


def test_a_large_column_does_not_decide_alone(opened):
    """Two rows; the question is like the first but for a column that varies by hundreds."""
    rows = np.zeros((20, WIDTH), dtype=np.float16)
    rows[:, 3] = np.linspace(-500, 500, 20)
    rows[:10, 0], rows[10:, 0] = 1.0, -1.0
    asked = np.zeros((1, WIDTH), dtype=np.float16)
    asked[0, 0], asked[0, 3] = -1.0, -20.0
    assert opened(rows).blend(asked, 1.0, k=4)[0, 0] == pytest.approx(-1.0, abs=0.2)


def test_ratio_none_all_and_by_row(opened):
    rows, asked = rows_of(300), rows_of(20, seed=3)
    index = opened(rows)
    np.testing.assert_array_equal(index.blend(asked, 0.0), asked.astype(np.float32))
    whole = index.blend(asked, 1.0)
    assert np.abs(whole - asked).max() > 0.1
    ratio = np.linspace(0, 1, 20)
    expected = asked + ratio[:, None] * (whole - asked)
    np.testing.assert_allclose(index.blend(asked, ratio), expected, rtol=1e-4, atol=1e-4)


def test_a_row_of_the_takes_stays_itself(opened):
    rows = rows_of(300)
    np.testing.assert_allclose(
        opened(rows).blend(rows[:5], 1.0), rows[:5].astype(np.float32), rtol=2e-3, atol=2e-3
    )


def test_parts_equal_the_whole_across_blocks(opened):
    index, asked = opened(rows_of(6_000)), rows_of(3_000, seed=8)
    whole = index.blend(asked, 0.5)
    parts = np.concatenate([index.blend(asked[s : s + 700], 0.5) for s in range(0, 3_000, 700)])
    np.testing.assert_array_equal(parts, whole)
    np.testing.assert_array_equal(index.blend(asked, 0.5), whole)


def test_same_rows_same_file(tmp_path):
    rows = rows_of(6_000)
    digests = {build_index(rows, tmp_path / f"{i}.npz", seed=4) for i in range(2)}
    assert len(digests) == 1
    assert digests.pop() == hashlib.sha256((tmp_path / "0.npz").read_bytes()).hexdigest()
    assert build_index(rows, tmp_path / "other.npz", seed=5) != build_index(rows, tmp_path / "0.npz", seed=4)


def test_too_many_rows_are_thinned(opened, monkeypatch):
    monkeypatch.setattr(index_room, "MAX_ROWS", 100)
    index = opened(rows_of(1_000))
    assert len(index) == 100


def test_fewer_rows_than_neighbours(opened):
    rows = rows_of(3)
    blended = opened(rows).blend(rows_of(4, seed=2), 1.0)
    assert np.isfinite(blended).all()


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (7,)])
def test_nothing_to_index(tmp_path, shape):
    with pytest.raises(CovermakerError, match="an index needs rows of content"):
        build_index(np.zeros(shape, np.float16), tmp_path / "i.npz", seed=0)
    assert not list(tmp_path.iterdir())


def test_rows_that_are_no_numbers(tmp_path):
    with pytest.raises(CovermakerError, match="not finite"):
        build_index(np.full((4, 4), 1e6, np.float32), tmp_path / "i.npz", seed=0)


def test_content_of_another_encoder(opened):
    with pytest.raises(WeightsError, match=r"holds content of width 16, this content has shape \(5, 8\)"):
        opened(rows_of(50)).blend(np.zeros((5, 8), np.float16), 0.5)


def test_missing_damaged_and_exchanged_files(tmp_path):
    path = tmp_path / "index.npz"
    with pytest.raises(WeightsError, match="missing") as caught:
        open_index(path)
    assert caught.value.exit_code is ExitCode.WEIGHTS
    build_index(rows_of(100), path, seed=0)
    with pytest.raises(WeightsError, match="is not the index of its card"):
        open_index(path, sha256="0" * 64)
    whole = path.read_bytes()
    for damaged in (b"", b"numbers", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match="is no index of content rows"):
            open_index(path)


@pytest.mark.parametrize(
    "change",
    [
        {"rows": np.zeros((100, 8), np.float16)},
        {"ends": np.array([99])},
        {"columns": np.zeros((2, WIDTH), np.float32)},
        {"rows": np.array([[object()]])},
    ],
)
def test_arrays_that_do_not_fit(tmp_path, change):
    path = tmp_path / "index.npz"
    build_index(rows_of(100), path, seed=0)
    with np.load(path) as arrays:
        parts = dict(arrays)
    np.savez(path, **{**parts, **change})
    with pytest.raises(WeightsError, match="is no index of content rows"):
        open_index(path)


def test_the_card_names_an_index_and_it_counts_as_sound(make_voice):
    plain = read_card(make_voice(name="plain"))
    part = '[index]\nsha256 = "{}"\n[training]'
    first = read_card(make_voice(name="one", replace={"[training]": part.format("1" * 64)}))
    second = read_card(make_voice(name="two", replace={"[training]": part.format("2" * 64)}))
    assert (first.index.file, first.index.sha256) == ("index.npz", "1" * 64)
    sounds = [str(sorted(card.sound().items())) for card in (plain, first, second)]
    assert len(set(sounds)) == 3
    assert "index" not in plain.sound()
    renamed = first.model_copy(update={"index": first.index.model_copy(update={"file": "other.npz"})})
    assert renamed.sound() == first.sound()


def test_a_card_whose_index_lies_elsewhere(make_voice):
    bad = '[index]\nfile = "../index.npz"\nsha256 = "' + "1" * 64 + '"\n[training]'
    from covermaker.errors import ProjectError

    with pytest.raises(ProjectError, match=r"index\.file = .*: must be a \.npz file name"):
        read_card(make_voice(replace={"[training]": bad}))
    assert "index" in VoiceCard.model_fields
