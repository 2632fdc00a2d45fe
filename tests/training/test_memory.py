"""Clusters of content: what is alike is remembered as one."""

import numpy as np
import pytest

from covermaker.training.memory import cluster_means


def test_planted_directions_are_found_with_their_lengths() -> None:
    rng = np.random.default_rng(0)
    planted = np.linalg.qr(rng.normal(size=(32, 8)))[0].T * np.arange(3, 11)[:, None]  # 8 orthogonal rows
    rows = np.repeat(planted, 40, axis=0) + rng.normal(0, 0.1, (320, 32))
    means = cluster_means(rows.astype(np.float32), 32, np.random.default_rng(1))
    for row in planted:
        assert np.linalg.norm(means - row, axis=1).min() < 0.25


def test_the_same_draws_give_the_same_memory() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 16)).astype(np.float32)
    first, second = (cluster_means(rows, 20, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.isfinite(first).all()


@pytest.mark.parametrize(("rows", "count"), [(1, 1), (1, 4), (5, 5), (7, 20)])
def test_few_rows_are_remembered_as_they_are(rows: int, count: int) -> None:
    given = np.random.default_rng(0).normal(size=(rows, 6)).astype(np.float32)
    means = cluster_means(given, count, np.random.default_rng(0))
    assert means.shape == (count, 6)
    assert np.array_equal(means[: min(rows, count)], given[:count])


def test_equal_and_zero_rows_are_no_trouble() -> None:
    rows = np.concatenate([np.zeros((50, 4)), np.ones((50, 4))]).astype(np.float32)
    means = cluster_means(rows, 8, np.random.default_rng(0))
    assert np.isfinite(means).all()
