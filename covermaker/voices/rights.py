"""On what grounds somebody may make a voice, and what each of them asks for."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Rights: TypeAlias = Literal["own-voice", "licensed", "synthetic"]

# Whose voice it is, in words.
RIGHTS: Final[dict[Rights, str]] = {
    "own-voice": "my own voice",
    "licensed": "a singer's who agreed",
    "synthetic": "nobody's: a machine's",
}


def needs_statement(rights: str) -> bool:
    """Tell whether somebody has to agree, so that a sentence must say who did, and to what."""
    return rights in ("own-voice", "licensed")


def licence_of(rights: str) -> str:
    """Return what the card of a voice that is made here says of its licence, where nobody said it."""
    return (
        "nobody's voice: no singer has rights in it"
        if rights == "synthetic"
        else "all rights with the singer"
    )


# Told of a voice whose card says "unknown", wherever something is made of it that others may hear.
UNKNOWN_RIGHTS: Final = (
    "nobody has said whose voice '{voice}' is, or that its singer agreed (rights: unknown): "
    "songs say so in their tags"
)


# Told of a voice whose files are given out, by what its card says.
_GIVEN_OUT: Final = {
    "own-voice": "it is the voice of whoever said: {statement} Whoever has these files can sing with it",
    "licensed": "it is the voice of a singer who agreed: {statement} See that giving it to others is agreed, too",
    "synthetic": "it is nobody's voice, a machine's (rights: synthetic)",
}
_UNKNOWN_GIVEN_OUT: Final = (
    "nobody has said whose voice '{voice}' is, or that its singer agreed (rights: unknown): "
    "tell whoever gets these files"
)


def given_out_words(voice: str, rights: str, statement: str) -> str:
    """Say whose voice it is that is written as files for other programs."""
    said = statement.strip().rstrip(".!?")
    return _GIVEN_OUT.get(rights, _UNKNOWN_GIVEN_OUT).format(voice=voice, statement=f"'{said}'.")
