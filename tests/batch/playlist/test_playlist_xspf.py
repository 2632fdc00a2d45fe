"""XSPF and JSPF: the same tracks in two notations."""

from __future__ import annotations

import json

import pytest

from covermaker.batch.entries import Entry, Problem
from covermaker.batch.playlist import read
from covermaker.errors import ProjectError

XSPF = """\
<?xml version="1.0" encoding="{encoding}"?>
<playlist version="1" xmlns="http://xspf.org/ns/0/">
  <title>Friday
     night</title>
  <trackList>
    <track>
      <location>more/Tr%C3%A4ume.ogg</location>
      <location>http://example.org/other.ogg</location>
      <title>Träume &amp; mehr</title><creator>Anna</creator><duration>215500</duration>
      <extension application="x"><title>not this</title><location>nor.flac</location></extension>
    </track>
    <track><location>{address}</location></track>
    <track><title>Nowhere</title></track>
    <track><location> http://example.org/far.ogg </location></track>
  </trackList>
</playlist>
"""
PROBLEMS = [
    ("the track has no location", "add one, or take the track out", "Nowhere"),
    ("we never download: http://example.org/far.ogg", "save the song as a file and name that",
     "http://example.org/far.ogg"),
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "UTF-16", "windows-1252"])
def test_tracks_of_xspf(shelf, put, encoding):
    text = XSPF.format(encoding=encoding, address=(shelf / "more/a b.wav").as_uri())
    playlist = read(put("friday.xspf", text, encoding=encoding))
    assert playlist.title == "Friday night"
    assert playlist.entries == (
        Entry(shelf / "more/Träume.ogg", "friday.xspf:6", "Träume & mehr", "Anna", 215.5),
        Entry(shelf / "more/a b.wav", "friday.xspf:12"),
    )
    places = ("friday.xspf:13", "friday.xspf:14")
    assert list(playlist.problems) == [
        Problem(place, *one) for place, one in zip(places, PROBLEMS, strict=True)
    ]


def test_tracks_of_jspf(shelf, put):
    tracks = [
        {"location": ["more/Tr%C3%A4ume.ogg", "http://x"], "title": "Träume & mehr", "creator": "Anna",
         "duration": 215500},
        {"location": (shelf / "more/a b.wav").as_uri(), "title": None, "duration": "long"},
        {"title": "Nowhere", "location": [None, "", 3]},
        {"location": ["http://example.org/far.ogg"]},
        "one.flac",
    ]  # fmt: skip
    playlist = read(put("friday.jspf", json.dumps({"playlist": {"title": "Friday night", "track": tracks}})))
    assert playlist.title == "Friday night"
    assert playlist.entries == (
        Entry(shelf / "more/Träume.ogg", "friday.jspf, track 1", "Träume & mehr", "Anna", 215.5),
        Entry(shelf / "more/a b.wav", "friday.jspf, track 2"),
    )
    wanted = [*PROBLEMS, ("the track is no table", "take it out", "")]
    assert list(playlist.problems) == [
        Problem(f"friday.jspf, track {n}", *one) for n, one in enumerate(wanted, 3)
    ]
    assert [problem.after for problem in playlist.problems] == [2, 2, 2]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.xspf", "<playlist><trackList><track><location>{}</location></track></trackList></playlist>"),
        ("a.jspf", '{{"playlist": {{"track": [{{"location": "{}"}}]}}}}'),
    ],
)
def test_addresses_are_unescaped_once(shelf, put, name, text):
    for file in ("50%.flac", "a%20b.flac", "a b.flac"):
        (shelf / file).touch()
    for address, file in {
        "a%20b.flac": "a b.flac",
        "a%2520b.flac": "a%20b.flac",
        "50%.flac": "50%.flac",
        (shelf / "a%20b.flac").as_uri(): "a%20b.flac",
        (shelf / "50%.flac").as_uri(): "50%.flac",
    }.items():
        assert [one.place.name for one in read(put(name, text.format(address))).entries] == [file], address


BOMB = """\
<?xml version="1.0"?>
<!DOCTYPE playlist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<playlist><trackList><track><location>&b;</location></track></trackList></playlist>
"""
READER = """\
<!DOCTYPE playlist SYSTEM "file:///etc/hostname" [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<playlist><trackList><track><location>&x;</location></track></trackList></playlist>
"""


@pytest.mark.parametrize(("text", "line"), [(BOMB, 2), (READER, 1)])
def test_a_document_with_a_dtd_is_refused(put, text, line):
    with pytest.raises(ProjectError, match=rf"^list\.xspf:{line}: a list with a DTD is not read") as caught:
        read(put("list.xspf", text))
    assert caught.value.hint == "take the <!DOCTYPE …> out, XSPF needs none"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.xspf", "<playlist><trackList>", r"l\.xspf is no XSPF: no element found: line 1"),
        ("l.xspf", "", "l.xspf is no XSPF: no element found"),
        ("l.xspf", "&x;", "l.xspf is no XSPF: "),
        ("l.xspf", "<rss></rss>", "l.xspf is no XSPF: it holds no <playlist>"),
        (
            "l.xspf",
            '<?xml version="1.0" encoding="klingon"?><playlist/>',
            "l.xspf is no XSPF: unknown encoding",
        ),
        ("l.xspf", "<playlist>" * 5000, "l.xspf is no XSPF that anybody wrote: it is nested too deep"),
        ("l.jspf", "", "l.jspf is no JSPF: Expecting value"),
        ("l.jspf", "[" * 100_000, "l.jspf is no JSPF: it is nested too deep"),
        ("l.jspf", "1" * 5000, "l.jspf is no JSPF: "),
        ("l.jspf", b'{"playlist": "\xff"}', "l.jspf is no JSPF: "),
        ("l.jspf", "[]", "l.jspf is no JSPF: it has no 'playlist'"),
        ("l.jspf", '{"playlist": {"track": {}}}', "l.jspf is no JSPF: it has no 'track'"),
    ],
)
def test_what_is_neither(put, name, text, message):
    with pytest.raises(ProjectError, match=message) as caught:
        read(put(name, text))
    assert caught.value.hint or "anybody" in message


def test_what_came_before_the_damage_is_kept(put):
    text = "<playlist><trackList><track><location>one.flac</location></track><track>\n<loc"
    playlist = read(put("cut.xspf", text))
    assert [entry.place.name for entry in playlist.entries] == ["one.flac"]
    (problem,) = playlist.problems
    assert problem.origin == "cut.xspf"
    assert problem.message.startswith("cut.xspf is no XSPF: unclosed token: line 2")
    assert problem.hint == "export the list again"


def test_half_a_character_of_json_reaches_nobody(put):
    track = r'{"location": "\ud800.flac", "title": "\ud800"}'
    (problem,) = read(put("l.jspf", '{"playlist": {"track": [' + track + "]}}")).problems
    assert problem.message.encode()
    assert problem.said == "?"
