"""What a person asks of a batch as a whole; kept in its queue, so that it goes on as it was begun."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a project made by a batch starts from, where neither the list, nor an option, nor a template says otherwise.
STANDARD: Final[Mapping[str, str]] = {
    "voice": "demo",
    "preset": "natural",
    "master": "streaming",
    "separator": "spleeter",
    "transpose": "auto",
    "pitch": "fcpe",
}


@dataclass(frozen=True)
class Options:
    """What a batch is to do, and how.

    Attributes
    ----------
    playlist : str
        The list that it was begun with; absolute, or a pattern of files.
    wishes : dict
        What is said for all songs, by the names of `entries.COLUMNS`; a song's own wishes win.
    template : str
        A ``cover.toml`` that new projects are copies of; absolute; "" for none.
    album : bool
        One gain for all songs, so that they keep their relation: together they measure `album_lufs`.
    album_lufs : float
        Integrated loudness of the album.
    score : bool
        Measure lag, similarity, pitch and words of each cover.
    copy : bool
        Copy songs into their projects; else they stay where they are.
    strict : bool
        A plug-in that is missing or fails makes the song fail.
    retries : int
        How often a song is tried again that may pass then.
    engine : str
        Where songs are rendered: a name of `engines.ENGINES`.
    address : str
        Of a cluster.
    workers : int or None
        How many songs at once; None is what cores and memory allow.
    memory_bytes : int or None
        What all together may take; None is a share of what is free.
    store : str
        The folder of finished steps; "" is the user's.
    device : str
        As of `covermaker.weights.device.pick_device`.
    """

    playlist: str = ""
    wishes: dict[str, Any] = field(default_factory=dict)
    template: str = ""
    album: bool = False
    album_lufs: float = -14.0
    score: bool = True
    copy: bool = False
    strict: bool = False
    retries: int = 2
    engine: str = "local"
    address: str = ""
    workers: int | None = None
    memory_bytes: int | None = None
    store: str = ""
    device: str = "auto"

    def to_json(self) -> dict[str, Any]:
        """Write it for the queue."""
        return asdict(self)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Options:
        """Read what `to_json` wrote; what an older version did not know has its default."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in said.items() if name in known})

    def wanted(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """Return all that a project of the batch shall have: of the song, of the batch, or as usual."""
        usual = {} if self.template else STANDARD
        return {**usual, **self.wishes, **wishes}
