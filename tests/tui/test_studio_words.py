"""Every state has a sign of one cell and a word; figures read as people write them."""

import math

import pytest
from rich.cells import cell_len

from covermaker.tui import words


@pytest.mark.parametrize("charset", ["unicode", "block", "ascii"])
def test_signs_are_one_cell_and_differ(charset):
    signs = {name: words.glyph(name, charset) for name in words.STATES}
    assert all(cell_len(sign) == 1 for sign in signs.values())
    told_apart = ("done", "run", "stale", "failed", "wait", "cached", "warn")
    assert len({signs[name] for name in told_apart}) == len(told_apart)
    if charset == "ascii":
        assert all(sign.isascii() for sign in signs.values())
    if charset == "block":
        assert all(sign.encode("cp437") or True for sign in signs.values() if sign not in "►")


def test_a_state_is_a_sign_and_a_word():
    assert words.said("stale") == "~ stale"
    assert words.said("failed", "ascii") == "x failed"
    assert words.said("run", "unicode", "separate 62 %") == "► separate 62 %"


@pytest.mark.parametrize(
    ("said", "is_"),
    [
        (words.length(222), "3:42"),
        (words.length(None), "?"),
        (words.level(-14.04, "LUFS"), "-14.0 LUFS"),
        (words.level(-math.inf), "silence"),
        (words.level(None), "silence"),
        (words.share(0.629), "62 %"),
        (words.share(0.999), "99 %"),
        (words.share(1.0), "100 %"),
        (words.share(0.29), "29 %"),
        (words.left(20.4), "0:20 left"),
        (words.left(None), ""),
        (words.about(3), "about 0:05"),
        (words.about(47), "about 0:50"),
        (words.about(121), "about 2:10"),
        (words.about(3601), "about 1:01:00"),
        (words.ago(5), "just now"),
        (words.ago(720), "12 min ago"),
        (words.ago(3 * 3600), "3 h ago"),
        (words.ago(30 * 3600), "yesterday"),
        (words.ago(10 * 86400), "10 days ago"),
        (words.count(1, "song"), "1 song"),
        (words.count(0, "song"), "0 songs"),
        (words.count(2, "box", "boxes"), "2 boxes"),
    ],
)
def test_figures(said, is_):
    assert said == is_


def test_a_title_cannot_move_the_terminal():
    assert words.one_line("a\x1b[2Jb\nc\u202ed\ud800e") == "a\ufffd[2Jb\ufffdc\ufffdd\ufffde"
    assert words.one_line("夜の港 café é") == "夜の港 café é"


@pytest.mark.parametrize("cells", [1, 2, 5, 9, 40])
def test_a_text_is_broken_by_cells_and_loses_nothing(cells):
    text = "über 日本語のうた, a  title\nof supercalifragilistic length"
    lines = words.wrapped(text, cells)
    assert all(cell_len(line) <= max(cells, 2) for line in lines)  # a wide sign takes two
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert words.wrapped("", cells) == [""]


def test_a_text_is_broken_at_its_spaces_only_where_it_must():
    assert words.wrapped("one two  three", 40) == ["one two  three"]
    assert words.wrapped("one two  three", 8) == ["one two", "three"]
    assert words.wrapped("日本 語", 4) == ["日本", "語"]
