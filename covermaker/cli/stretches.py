"""Stretches of a song that a command measures or writes: made in a process of their own, as the studio's previews."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.cli.alone import run_alone
from covermaker.graph.events import nobody
from covermaker.render.previewing import Previewed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.graph.events import Listener
    from covermaker.project.load import Project
    from covermaker.render.previewing import Wish


def make_stretches(
    project: Project,
    wishes: Sequence[Wish],
    store: Path | None,
    *,
    device: str = "auto",
    listener: Listener = nobody,
) -> list[Previewed]:
    """Fulfil wishes, one after another; `listener` hears of those that are sung on `device`.

    Raises
    ------
    CovermakerError
        When one is refused, or the process dies.
    """
    asked = {"project": str(project.root), "wishes": [wish.to_dict() for wish in wishes]}
    made = run_alone("stretches", asked, device=device, listener=listener, store=store)["made"]
    return [Previewed(**one) for one in made]


def write_stretch(
    target: Path, file: Path, made: Previewed, *, begins_seconds: float, gain_db: float = 0.0
) -> None:
    """Write the stretch of one side as float WAV; `file` begins at `begins_seconds` of the song."""
    import numpy as np

    from covermaker.audio.files import probe, read, wav_writer
    from covermaker.disk import replacing
    from covermaker.units import db_to_gain

    info = probe(file)
    first = round((made.start_seconds - begins_seconds) * info.sample_rate)
    sound = read(file, start=first, frames=round(made.seconds * info.sample_rate))
    with (
        replacing(target) as part,
        wav_writer(part, sample_rate=info.sample_rate, channels=info.channels) as writer,
    ):
        writer.write(sound.samples * np.float32(db_to_gain(gain_db)))


def drop_stretch(made: Previewed) -> None:
    """Delete what was made for a stretch, not what it was compared with."""
    file, against = Path(made.file), Path(made.against)
    file.unlink(missing_ok=True)
    if against.parent == file.parent:
        against.unlink(missing_ok=True)
