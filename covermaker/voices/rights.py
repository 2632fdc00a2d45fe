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


# Told of a voice whose card says "unknown", wherever something is made of it that others may hear.
UNKNOWN_RIGHTS: Final = (
    "nobody has said whose voice '{voice}' is, or that its singer agreed (rights: unknown): "
    "songs say so in their tags"
)
