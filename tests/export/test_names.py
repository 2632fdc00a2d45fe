import pytest
from hypothesis import given
from hypothesis import strategies as st

from covermaker.export.names import safe_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Blue Harbour", "Blue Harbour"),
        ("Blåhavn / 青い港 ♪", "Blåhavn - 青い港 ♪"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("...hidden", "hidden"),
        ("AC/DC: T.N.T.", "AC-DC- T.N.T"),
        ("a\tb\nc\0d", "a b c d"),
        ("con", "_con"),
        ("NUL.wav", "_NUL.wav"),
        ("", "untitled"),
        (" . ", "untitled"),
        ("e\u0301", "é"),
    ],
)
def test_examples(title, name):
    assert safe_name(title) == name


@given(st.text(max_size=400))
def test_every_title_makes_a_legal_name(title):
    name = safe_name(title)
    assert 0 < len(name.encode()) <= 181
    assert not name.startswith(".")
    assert name == name.strip(" .")
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert safe_name(name) == name
