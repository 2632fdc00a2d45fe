from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field

from covermaker.documents.document import Document, DocumentError, PlaceError, placed
from covermaker.errors import ExitCode, ProjectError, UsageError


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    level_db: float = Field(default=0.0, le=24.0)
    name: str = Field(default="a", pattern="^[a-z]$")


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: str
    rows: list[Row] = []
    size: int | str = 1


def refused(text, **words):
    with pytest.raises(DocumentError) as caught:
        Document.parse(text, "d.toml").checked(Whole, **words)
    return caught.value


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('title = "t"\n\n[[rows]]\nlevle_db = 1.0', "d.toml:4: unknown key 'rows[0].levle_db'",
         "did you mean 'level_db'?"),
        ("title = 't'\n[[rows]]\nlevel_db = 99.0",
         "d.toml:3: rows[0].level_db = 99.0: must be less than or equal to 24", None),
        ("titel = 't'", "d.toml:1: unknown key 'titel'", "did you mean 'title'?"),
        ("\n\n[[rows]]", "d.toml: 'title' is missing", "call it something"),
        ("title = 't'\nsize = 1.5", "d.toml:2: size = 1.5: a whole number is expected or text is expected", None),
        ("title = 't'\nrows = 3", "d.toml:2: rows = 3: a list is expected", None),
        ("title = 't'\nrows = [\n{},\n{ name = 'B' }]",
         "d.toml:4: rows[1].name = 'B': one small letter is expected", None),
        ("title = 1\nx = 1\n[[rows]]\nlevel_db = 99.0",
         "d.toml:2: unknown key 'x' (and 2 more)", "known: rows, size, title"),
    ],
)  # fmt: skip
def test_what_is_refused_has_line_path_and_hint(text, message, hint):
    error = refused(
        text, hints={"title": "call it something"}, patterns={"^[a-z]$": "one small letter is expected"}
    )
    assert (error.message, error.hint) == (message, hint)
    assert error.exit_code is ExitCode.PROJECT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = [", "d.toml is no TOML: .*end of document"),
        (b"a = 1\nb = = 2", r"line 2"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_is_no_toml(tmp_path, content, words):
    (tmp_path / "d.toml").write_bytes(content)
    with pytest.raises(DocumentError, match=words):
        Document.read(tmp_path / "d.toml", missing=ProjectError("gone"))


def test_a_file_that_is_not_there_and_one_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="gone"):
        Document.read(tmp_path / "d.toml", missing=UsageError("gone"))
    with pytest.raises(DocumentError, match="cannot be read: Is a directory"):
        Document.read(tmp_path, missing=UsageError("gone"))


def test_a_bottomless_document_is_one_line():
    with pytest.raises(DocumentError, match="nested too deep"):
        Document.parse("a = " + "[" * 100_000 + "]" * 100_000, "d.toml")


def test_a_place_is_named_by_whoever_has_the_document():
    document = Document.parse("[a]\nb = [1,\n2]", "d.toml")
    with pytest.raises(DocumentError, match=r"^d\.toml:3: a\.b\[1\] = 2 is odd$"), document.naming():
        raise PlaceError("a.b[1]", "= 2 is odd")
    with pytest.raises(DocumentError, match=r"^d\.toml:1: a\.c is missing"), document.naming():
        raise PlaceError("a.c", "is missing")
    with pytest.raises(DocumentError, match=r"^d\.toml: c is missing"), document.naming():
        raise PlaceError("c", "is missing")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UsageError("unknown profile 'x'", hint="h"), r"^a\.b: unknown profile 'x'"),
        (ProjectError("a.b.c must lie in 0..1", hint="h"), r"^a\.b\.c must lie in 0\.\.1"),
        (ProjectError("a.b: no such thing", hint="h"), r"^a\.b: no such thing"),
        (PlaceError("z", "is odd", hint="h"), "^z is odd"),
        (DocumentError("other.toml:3: x", hint="h"), "^other.toml:3: x"),
    ],
)
def test_a_room_that_knows_no_document_is_placed(error, message):
    with pytest.raises(ProjectError, match=message) as caught, placed("a.b"):
        raise error
    assert caught.value.hint == "h"
