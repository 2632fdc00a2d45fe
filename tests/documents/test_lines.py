from __future__ import annotations

import tomllib

import pytest

from covermaker.documents.lines import lines_of

TEXT = '''\
# a comment with [brackets] and k = 1
schema = 1
"odd key" = "a # b ] \\" }"

[song]   # what is covered
file = 'a]b#.flac'

[[tracks]]
name = "vocals"
sends = { reverb = -18.0, delay = -24.0 }
rack = [
    { effect = "gate", threshold_db = -52.0 },  # the gate
    # { effect = "eq" },
    { effect = "compressor", ratio = 2.5 },
]

[[tracks]]
name = "guitar"
[tracks.more]
x.y = 1979-05-27 07:32:00
words = """
[song]
file = "no key"
"""
other = \'\'\'it''s
[[tracks]]\'\'\'
[convert.pitch_correction]
scale = ["C", "Eb",
  "G"]
'''


def test_everything_stands_where_it_is_written():
    lines = lines_of(TEXT)
    rows = TEXT.splitlines()
    assert lines["schema"] == 2
    assert lines["odd key"] == 3
    assert lines["song"] == 5
    assert lines["tracks[0]"] == 8
    assert lines["tracks[0].sends.delay"] == 10
    assert rows[lines["tracks[0].rack[0].threshold_db"] - 1].startswith('    { effect = "gate"')
    assert rows[lines["tracks[0].rack[1]"] - 1].strip().startswith('{ effect = "compressor"')
    assert rows[lines["tracks[0].rack[1].ratio"] - 1].strip().endswith("ratio = 2.5 },")
    assert rows[lines["tracks[1].name"] - 1] == 'name = "guitar"'
    assert rows[lines["tracks[1].more"] - 1] == "[tracks.more]"
    assert rows[lines["tracks[1].more.x.y"] - 1].startswith("x.y")
    assert rows[lines["tracks[1].more.other"] - 1].startswith("other")
    assert rows[lines["convert.pitch_correction.scale[2]"] - 1] == '  "G"]'


def paths(value, where=""):
    if isinstance(value, dict):
        for key, item in value.items():
            inner = f"{where}.{key}" if where else key
            yield inner
            yield from paths(item, inner)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield f"{where}[{number}]"
            yield from paths(item, f"{where}[{number}]")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_no_path_is_missed_and_none_is_made_up(ending):
    text = TEXT.replace("\n", ending)
    made = {"convert", "tracks", "tracks[1].more.x"}  # tables that only longer headers and keys imply
    assert set(paths(tomllib.loads(text))) - set(lines_of(text)) <= made
    assert set(lines_of(text)) <= set(paths(tomllib.loads(text)))


@pytest.mark.parametrize(
    ("text", "where", "line"),
    [
        ('a = """"""\nb = 1', "b", 2),
        ('a = """x""""\nb = 1', "b", 2),
        ("a = ''''quoted''''\nb = 1", "b", 2),
        ("a = []\nb = {}\nc = [[1, 2],\n [3]]", "c[1][0]", 4),
        ('a = ["]", "[", """\n"""]\nb = 2', "b", 3),
        ("a.b.c = 1\na.d = 2", "a.d", 2),
        ("[a]\n[a.b]\nc = true\n[d]\nc = 1e3", "d.c", 5),
        ('a = "back\\\\"\nb = "\\""\nc = 3', "c", 3),
        ("[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]\nd = 1", "a[1].b[2].d", None),
    ],
)
def test_corners(text, where, line):
    tomllib.loads(text)
    assert lines_of(text).get(where) == line
