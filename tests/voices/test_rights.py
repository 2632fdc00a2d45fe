"""On what grounds a voice is made: one list, for the command, the form and the documents."""

from datetime import date
from typing import get_args

import pytest

from covermaker.errors import ProjectError
from covermaker.takes.document import make_takes
from covermaker.voices.rights import RIGHTS, Rights, licence_of, needs_statement

FACTS = {"name": "anna", "created": date(2026, 1, 31), "takes": [{"file": "x", "sha256": "0" * 64}]}


def test_each_ground_is_said_in_words():
    assert set(RIGHTS) == set(get_args(Rights))


@pytest.mark.parametrize(
    ("rights", "is_agreed"), [("own-voice", True), ("licensed", True), ("synthetic", False)]
)
def test_whoever_has_to_agree_is_named(rights, is_agreed):
    assert needs_statement(rights) == is_agreed
    facts = {**FACTS, "rights": rights}
    assert make_takes(**facts, statement="She agreed.").rights == rights
    if not is_agreed:
        assert make_takes(**facts).statement == ""
        return
    with pytest.raises(ProjectError, match="need a statement"):
        make_takes(**facts)


def test_a_machine_has_no_singer_whose_rights_a_card_could_name():
    assert {rights for rights in RIGHTS if "with the singer" in licence_of(rights)} == {
        "own-voice",
        "licensed",
    }
    assert licence_of("synthetic").startswith("nobody's voice")
