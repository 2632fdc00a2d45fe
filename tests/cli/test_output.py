"""Tables fit the terminal that reads them."""

from covermaker.cli.output import table

ROWS = [
    ("fcpe", "packaged", "pitch, made for singing"),
    ("rmvpe", "not here", "pitch, robust in accompaniment"),
]


def test_a_table_is_as_wide_as_its_words_where_nobody_says_how_wide():
    assert table(ROWS).splitlines() == [
        "fcpe   packaged  pitch, made for singing",
        "rmvpe  not here  pitch, robust in accompaniment",
    ]


def test_the_last_column_wraps_under_itself():
    lines = table(ROWS, header=("weights", "where", "what they are"), width=42).splitlines()
    assert max(map(len, lines)) <= 42
    assert lines[3] == "rmvpe    not here  pitch, robust in"
    assert lines[4] == " " * 19 + "accompaniment"


def test_a_terminal_too_narrow_to_wrap_in_gets_whole_lines():
    assert table(ROWS, width=24) == table(ROWS)
