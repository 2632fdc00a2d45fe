"""A stretch of a mix through the master, as loud, and as hard on the limiter, as in the whole song."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from covermaker.audio.files import read, wav_writer
from covermaker.disk import disk_errors
from covermaker.master.master import MasterSettings, master_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from covermaker.audio.buffer import Samples
    from covermaker.effects.automation import Move
    from covermaker.effects.rack import EffectSettings
    from covermaker.project.document import Master

_QUIETEST_LUFS, _LOUDEST_LUFS = -40.0, -5.0  # what `MasterSettings` takes


def mastered(
    mix: Samples,
    rate: int,
    settings: Master,
    *,
    louder_db: float | None,
    rack: Sequence[EffectSettings] = (),
    moves: Sequence[Move] = (),
    start: int = 0,
) -> Samples:
    """Return a stretch of a mix as the master of its song would have it.

    Parameters
    ----------
    mix : float32 array (2, frames)
    louder_db : float or None
        By how much the stretch is louder than its song; None where the song is silent: then the level is left.
    rack, moves
        The master's rack, and what moves in it.
    start : int
        Frame of the song at which the stretch begins.
    """
    target = settings.loudness_lufs
    wanted = MasterSettings(
        loudness_lufs=None
        if isinstance(target, str) or louder_db is None
        else min(max(target + louder_db, _QUIETEST_LUFS), _LOUDEST_LUFS),
        true_peak_dbtp=settings.true_peak_dbtp,
        max_drive_db=settings.max_drive_db,
        rack=tuple(rack),
        moves=tuple(moves),
        start=start,
    )
    work = Path(tempfile.gettempdir())
    with disk_errors(work), tempfile.TemporaryDirectory(prefix="covermaker-", dir=work) as folder:
        file, out = Path(folder) / "mix.wav", Path(folder) / "master.wav"
        with wav_writer(file, sample_rate=rate, channels=len(mix)) as writer:
            writer.write(mix)
        master_file(file, out, settings=wanted)
        return read(out).samples
