"""Audacity label tracks: the same samples back, and clear words for every line that is none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covermaker.errors import ProjectError
from covermaker.takes.labels import read_labels, write_labels


@settings(deadline=None)
@given(
    rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000]),
    steps=st.lists(st.integers(20_000, 3_000_000), min_size=2, max_size=8),
    start=st.integers(0, 10_000_000),
)
def test_cuts_come_back_to_the_sample(tmp_path_factory, rate, steps, start):
    path = tmp_path_factory.getbasetemp() / "round.labels.txt"
    edges = [start]
    for step in steps:
        edges.append(edges[-1] + step)
    cuts = list(zip(edges[::2], edges[1::2], strict=False))
    write_labels(path, cuts, rate)
    assert read_labels(path, rate, edges[-1]) == cuts


def read(tmp_path, text, *, encoding="utf-8"):
    path = tmp_path / "a.labels.txt"
    path.write_text(text, encoding=encoding)
    return read_labels(path, 1000, 10_000)


def test_what_audacity_writes_is_read(tmp_path):
    text = "2.000000\t4.500000\tchorus\n\\\t100.0\t2000.0\n0.500000\t1.500000\t\n"
    assert read(tmp_path, text) == [(500, 1500), (2000, 4500)]


def test_a_byte_order_mark_and_windows_lines_do_no_harm(tmp_path):
    assert read(tmp_path, "0.5\t1.5\tx\r\n\r\n", encoding="utf-8-sig") == [(500, 1500)]


def test_neighbours_may_touch_and_the_end_is_cut(tmp_path):
    assert read(tmp_path, "0\t5\n5\t10.05\n") == [(0, 5000), (5000, 10_000)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\t5\n4.9\t6\n", "lines 1 and 2 overlap"),
        ("3\t3\tpoint\n", "line 1: a clip needs a start and an end"),
        ("5\t3\n", "line 1: a clip needs a start and an end"),
        ("\n9\t12\n", "line 2: the label leaves the take"),
        ("-1\t3\n", "line 1: the label leaves the take"),
        ("chorus\n", "line 1 is no label: 'chorus'"),
        ("0,5\t1,5\tx\n", "line 1 is no label"),
        ("nan\t3\n", "is no time"),
        ("\n", "holds no label"),
    ],
)
def test_wrong_labels_are_refused(tmp_path, text, message):
    with pytest.raises(ProjectError, match=message):
        read(tmp_path, text)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProjectError, match="not UTF-8"):
        read_labels(tmp_path / "x", 1000, 1000)
    with pytest.raises(ProjectError, match="cannot be read"):
        read_labels(tmp_path / "none", 1000, 1000)
