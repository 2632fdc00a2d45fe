"""What the doctor says of the voices that are here: whether they are whole, and their encoders here. It loads none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from covermaker.errors import CovermakerError
from covermaker.voices.library import list_voices
from covermaker.voices.readiness import missing_weights, pull_words

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED: Final = 4  # of many voices, in a line
Row = tuple[str, bool, str]


def voice_rows(*, but: str) -> Iterator[Row]:
    """Yield stage, whether it works, and what was found: a row an encoder, and one for each voice that is not whole.

    Parameters
    ----------
    but : str
        A voice that is looked at otherwise.
    """
    readers: dict[str, list[str]] = {}
    whole = 0
    for entry in list_voices():
        if entry.name == but:
            continue
        if entry.problem:
            yield f"voice: {entry.name}", False, entry.problem
        else:
            whole += 1
        if entry.card is not None:
            readers.setdefault(entry.card.content.encoder, []).append(entry.name)
    if whole:
        yield (
            "voices",
            True,
            f"{whole} more {'voice is' if whole == 1 else 'voices are'} whole, by their size",
        )
    for encoder, names in sorted(readers.items()):
        yield _encoder_row(encoder, names)


def _encoder_row(encoder: str, names: list[str]) -> Row:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    needed_by = f"needed by {', '.join(names[:_NAMED])}{more}"
    try:
        missing = missing_weights(encoder)
    except CovermakerError as error:
        return f"content: {encoder}", False, f"{error.message}; {needed_by}"
    if missing:
        return f"content: {encoder}", False, f"not here, {needed_by}: {pull_words(missing)}"
    return f"content: {encoder}", True, f"here, {needed_by}"
