"""Texts are changed to the character, whatever their layout."""

import string
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laid_out import DOCUMENT

from covermaker.documents.spans import spans_of
from covermaker.errors import ProjectError, UsageError
from covermaker.project import splice
from covermaker.project.operations import Drop, Insert, Move, Put, Rename, on_text, on_values


def comments(text):
    return [line[line.index("#") :] for line in text.splitlines() if "#" in line]


def changed(text, operation):
    meant = on_values(tomllib.loads(text), [operation])
    return on_text(text, [operation], meant)


@pytest.mark.parametrize(
    ("operation", "old", "new"),
    [
        (Put(("title",), "Night"), '"Blue Harbour"   # w', '"Night"   # w'),
        (Put(("tracks", 0, "gain_db"), -2.5), "-3.0           # fader", "-2.5           # fader"),
        (Put(("tracks", 0, "rack", 2, "ratio"), 4.0), "ratio = 3.0", "ratio = 4.0"),
        (Put(("tracks", 0, "rack", 1, "bypass"), True), "300.0 }, # s", "300.0, bypass = true }, # s"),
        (Put(("tracks", 0, "sends", "delay"), -9.0), "-16.0 } # wet", "-16.0, delay = -9.0 } # wet"),
        (Put(("tracks", 1, "mute"), True), '"instrumental"\n\n[tr', '"instrumental"\nmute = true\n\n[tr'),
        (Put(("tracks", 1, "sends", "delay"), -9.0), "-24.0\n", "-24.0\ndelay = -9.0\n"),
        (Put(("artist",), ""), '"Me"', '""'),
        (Put(("song", "artist"), "You"), "tape\n", 'tape\nartist = "You"\n'),
        (
            Put(("convert", "pitch_correction", "scale"), "C major"),
            "# gently\n",
            '# gently\npitch_correction.scale = "C major"\n',
        ),
        (Put(("mix", "tail"), "full"), "streaming\n", 'streaming\n\n[mix]\ntail = "full"\n'),
        (Drop(("tracks", 0, "gain_db")), "gain_db = -3.0           # fader\n", ""),
        (Drop(("tracks", 0, "sends", "reverb")), "{ reverb = -16.0 }", "{  }"),
        (Drop(("tracks", 0, "rack", 1)), '  { effect = "eq", band1_hz = 300.0 }, # shape\n', ""),
        (Drop(("tracks", 1, "sends")), "\n[tracks.sends]           # a little\nreverb = -24.0\n", ""),
        (Drop(("buses", 0, "rack", 0)), '[{ effect = "reverb", dry_db = -100.0 }]', "[]"),
        (
            Insert(("tracks", 0, "rack"), 3, {"effect": "delay"}),
            "3.0 }\n]",
            '3.0 },\n  { effect = "delay" },\n]',
        ),
        (
            Insert(("tracks", 0, "rack"), 1, {"effect": "delay"}),
            "# quiet\n",
            '# quiet\n  { effect = "delay" },\n',
        ),
        (
            Insert(("buses", 0, "rack"), 0, {"effect": "eq"}),
            '[{ effect = "reverb"',
            '[{ effect = "eq" }, { effect = "reverb"',
        ),
        (
            Insert(("buses",), 1, {"name": "delay", "rack": []}),
            "-100.0 }]\n",
            '-100.0 }]\n\n[[buses]]\nname = "delay"\nrack = []\n',
        ),
        (Rename(("tracks", 0, "sends", "reverb"), "hall"), "{ reverb = -16.0 }", "{ hall = -16.0 }"),
        (Rename(("tracks", 1, "sends", "reverb"), "a b"), "# a little\nreverb =", '# a little\n"a b" ='),
        (
            Rename(("convert", "pitch_correction", "strength"), "much"),
            "correction.strength =",
            "correction.much =",
        ),
        (
            Move(("tracks", 0, "rack"), 2, 0),
            DOCUMENT[DOCUMENT.index("  # tame") : DOCUMENT.index("]\n\n# every")],
            '  # squeeze\n  { effect = "compressor", ratio = 3.0 },\n  # tame the room first\n'
            '  { effect = "gate", threshold_db = -45.0 },  # quiet\n'
            '  { effect = "eq", band1_hz = 300.0 }, # shape\n',
        ),
    ],
)
def test_only_what_is_meant_changes(operation, old, new):
    assert DOCUMENT.count(old) == 1
    assert changed(DOCUMENT, operation) == DOCUMENT.replace(old, new)


def test_a_new_table_comes_last_and_a_list_of_tables_after_its_like():
    text = changed(DOCUMENT, Insert(("tracks",), 1, {"name": "choir", "source": "backing"}))
    names = [track["name"] for track in tomllib.loads(text)["tracks"]]
    assert names == ["vocals", "choir", "instrumental"]
    assert comments(text) == comments(DOCUMENT)
    assert text.index("# everything else") < text.index('"instrumental"')


def test_a_removed_track_leaves_the_comments_around_it():
    text = changed(DOCUMENT, Drop(("tracks", 0)))
    assert "# The mixer." in text
    assert "# everything else\n[[tracks]]" in text
    assert "# fader" not in text


LISTED = """# The mixer.
[[tracks]]
name = "x" # first
[tracks.sends]
room = 1

# everything else
[[tracks]]
name = "y"
# gain_db = 3

# The bus.
[[buses]]
name = "room"

[[tracks]]
name = 'z'"""


def test_tables_are_moved_with_what_is_in_them_and_their_comments():
    assert (
        changed(LISTED, Move(("tracks",), 0, 1))
        == """# The mixer.
# everything else
[[tracks]]
name = "y"
# gain_db = 3

[[tracks]]
name = "x" # first
[tracks.sends]
room = 1

# The bus.
[[buses]]
name = "room"

[[tracks]]
name = 'z'"""
    )
    last = changed(LISTED, Move(("tracks",), 2, 0))
    assert last.startswith("# The mixer.\n[[tracks]]\nname = 'z'\n\n[[tracks]]\nname = \"x\" # first\n")
    assert last.endswith(
        '[[buses]]\nname = "room"\n\n# everything else\n[[tracks]]\nname = "y"\n# gain_db = 3'
    )
    for index in range(3):
        for to in range(3):
            there = changed(LISTED, Move(("tracks",), index, to))
            assert comments(there) == comments(LISTED) or index != to
            assert sorted(there.split("\n")) == sorted(LISTED.split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        'a = { b = { c = 1 }, d = [1, 2] }\ntracks = [{ name = "x" }, { name = "y" }]',
        'a.b.c = 1\na.d = [\n  1, # one\n  2\n]\n[[tracks]]\nname = "x"\n[[tracks]]\nname = "y"',
        "[a]\nd = [1,\n 2]\n[a.b]\nc = 1\n[[tracks]]\nname = '''x'''\n[[tracks]]\n\"name\" = 'y'",
        '[[tracks]]\nname = """\nx"""\n[other]\n[[tracks]]\nname = "y"\n[a]\nb.c = 1\nd = [ 1 , 2 , ]',
    ],
)
@pytest.mark.parametrize(
    "operation",
    [
        Put(("a", "b", "c"), 5),
        Put(("a", "b", "new"), "v"),
        Put(("a", "new", "deep"), [1, 2]),
        Put(("top",), {"k": 1}),
        Put(("a", "b"), {"x": True}),
        Put(("tracks", 1, "mute"), True),
        Put(("tracks", 0, "sends", "reverb"), -3.0),
        Drop(("a", "b", "c")),
        Drop(("a", "b")),
        Drop(("a", "d", 0)),
        Drop(("a", "d", 1)),
        Drop(("tracks", 0)),
        Drop(("tracks", 1)),
        Drop(("a",)),
        Insert(("a", "d"), 0, 9),
        Insert(("a", "d"), 2, 9),
        Insert(("tracks",), 1, {"name": "z", "rack": [{"effect": "gate"}]}),
        Insert(("tracks",), 0, {"name": "z"}),
        Insert(("tracks",), 2, {"name": "z"}),
        Insert(("fresh",), 0, {"name": "z"}),
        Insert(("tracks", 0, "rack"), 0, {"effect": "gate"}),
        Move(("a", "d"), 0, 1),
        Move(("a", "d"), 1, 0),
        Move(("tracks",), 0, 1),
        Move(("tracks",), 1, 0),
    ],
)
def test_every_operation_in_every_layout(text, operation):
    for written in (text, text + "\n"):
        after = changed(written, operation)  # raises unless it reads back as meant
        assert comments(after) == comments(written) or isinstance(operation, (Drop, Move))


KEYS = st.text(string.ascii_lowercase, min_size=1, max_size=3) | st.sampled_from(
    ["a b", 'q"', "é", "", "x=y", "a.b"]
)
SCALARS = (
    st.booleans()
    | st.integers(-99, 99)
    | st.floats(-9, 9, allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def written(values):
    """Write values as a document of several layouts: tables as headers, lists of tables as headers too."""
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    lines = [
        f"{splice._key(key)} = {splice.literal(value)} # {number}"
        for number, (key, value) in enumerate(plain.items())
    ]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += [
                f"[{splice._key(key)}]",
                *(f"{splice._key(k)} = {splice.literal(v)}" for k, v in value.items()),
            ]
    return "\n".join(lines) + "\n"


@settings(max_examples=150, deadline=None)
@given(values=st.dictionaries(KEYS, VALUES, max_size=4), data=st.data())
def test_any_document_any_change(values, data):
    text = written(values)
    assert tomllib.loads(text) == values
    spans = {span.path: span for span in spans_of(text)}
    new = data.draw(VALUES)
    operations = [Put((data.draw(KEYS),), new)]
    if spans:
        path = data.draw(st.sampled_from(sorted(spans, key=str)))
        operations += [Put(path, new), Drop(path)]
        operations += (
            [Rename(path, "new name")] if isinstance(path[-1], str) and spans[path].kind == "pair" else []
        )
    for operation in operations:
        after = tomllib.loads(changed(text, operation))
        assert after == on_values(values, [operation]) or isinstance(operation, Drop)


def test_the_spans_hold_what_they_say():
    for span in spans_of(DOCUMENT):
        if span.kind != "table" and DOCUMENT[span.value] not in "[{":
            value = tomllib.loads(f"v = {DOCUMENT[span.value : span.end]}")["v"]
            found = tomllib.loads(DOCUMENT)
            for part in span.path:
                found = found[part]
            assert found == value


def test_what_cannot_be_written_is_refused_and_what_is_not_there_too(monkeypatch):
    monkeypatch.setattr(splice, "put", lambda text, path, value: text)
    with pytest.raises(ProjectError, match="laid out"):
        changed(DOCUMENT, Put(("title",), "x"))
    for operation in (
        Drop(("nothing",)),
        Put(("title", "x"), 1),
        Put(("tracks", 9, "x"), 1),
        Move(("song",), 0, 1),
    ):
        with pytest.raises(UsageError, match="the project has nothing at"):
            on_values(tomllib.loads(DOCUMENT), [operation])
