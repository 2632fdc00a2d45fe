"""Dots to characters, lines without holes, steps of axes."""

import numpy as np
import pytest
from rich.style import Style

from covermaker.tui.widgets.canvas import between, cells, line, nice_step, rows_of, striped
from covermaker.tui.widgets.charset import GLYPHS


@pytest.mark.parametrize(
    ("charset", "dot", "sign"),
    [
        ("unicode", (0, 0), "⠁"),
        ("unicode", (3, 1), "⢀"),
        ("unicode", (1, 0), "⠂"),
        ("block", (0, 1), "▝"),
        ("block", (1, 0), "▖"),
        ("ascii", (0, 0), "'"),
        ("ascii", (1, 0), "."),
    ],
)
def test_a_dot_is_where_it_belongs_in_its_cell(charset, dot, sign):
    across, down = GLYPHS[charset].dots
    dots = np.zeros((down, across), np.bool_)
    dots[dot] = True
    assert rows_of(cells(dots, GLYPHS[charset])) == [sign]


def test_full_cells_and_empty_ones():
    dots = np.repeat([[False] * 2 + [True] * 2], 8, axis=0)
    assert rows_of(cells(dots, GLYPHS["unicode"])) == [" ⣿", " ⣿"]
    assert rows_of(cells(np.ones((2, 1), np.bool_), GLYPHS["ascii"], solid=True)) == ["#"]


def test_every_sign_is_one_cell_wide_and_no_emoji():
    from rich.cells import cell_len

    for glyphs in GLYPHS.values():
        signs = [*glyphs.curve, *glyphs.solid, *glyphs.bar, *glyphs.pillar, *glyphs.marks]
        signs += [
            getattr(glyphs, name) for name in ("rest", "track", "groove", "knob", "post", "tick", "hold")
        ]
        assert all(cell_len(sign) == 1 for sign in signs)
    assert all(sign.isascii() for sign in "".join(GLYPHS["ascii"].curve) + GLYPHS["ascii"].bar)


def test_a_steep_line_has_no_hole():
    y = np.array([0.5, 30.5, 2.5, 2.5])
    picture = line(32, y)
    for column in range(3):
        own, following = np.flatnonzero(picture[:, column]), np.flatnonzero(picture[:, column + 1])
        assert following.min() - 1 <= own.max()
        assert own.min() - 1 <= following.max()
    assert picture[:, 3].sum() == 1


def test_a_gap_in_a_line_stays_a_gap():
    picture = line(8, np.array([1.0, np.nan, 5.0]))
    assert picture.sum(axis=0).tolist() == [1, 0, 1]


def test_between_includes_both_ends():
    assert between(4, np.array([1.0]), np.array([2.9]))[:, 0].tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("span", "most", "step"), [(10, 10, 1), (10, 4, 5), (0.7, 7, 0.1), (240, 12, 20), (0, 5, 1)]
)
def test_steps_of_an_axis_are_round(span, most, step):
    assert nice_step(span, most) == pytest.approx(step)


def test_a_line_is_cut_where_the_look_changes():
    styles = [Style(color="red"), Style(color="blue")]
    strip = striped("abcd", np.array([0, 0, 1, 0]), styles)
    assert [segment.text for segment in strip] == ["ab", "c", "d"]
    assert strip.cell_length == 4
