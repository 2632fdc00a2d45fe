"""What a master must be, and what it became."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from covermaker.errors import ProjectError

if TYPE_CHECKING:
    from covermaker.effects.automation import Move
    from covermaker.effects.rack import EffectSettings
    from covermaker.master.match import Match

QUIETEST_LUFS, LOUDEST_LUFS = -40.0, -5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterSettings:
    """What the master must be.

    Parameters
    ----------
    loudness_lufs : float, "reference" or None
        Integrated loudness to reach, -40..-5 LUFS, or that of the reference of `match`; None leaves the level alone
        and only keeps the ceiling.
    true_peak_dbtp : float
        Ceiling, -12..0 dBTP.
    rack : sequence of effect settings
        Effects on the whole mix, before the loudness.
    max_drive_db : float
        How far the loudest peak may be pushed over the ceiling, 0..40 dB; what the limiter would have to take off
        beyond that is refused, and the master stays quieter than its target.
    match : Match or None
        A song whose tone is taken on, behind the rack.
    moves : sequence of Move
        Parameters of the rack that move.
    start : int
        Frame of the song at which the mix begins: what moves is on the song's time.

    Raises
    ------
    ProjectError
        When a value is outside its range, or the loudness of a reference is wanted that is not there.
    """

    loudness_lufs: float | Literal["reference"] | None = -14.0
    true_peak_dbtp: float = -1.0
    rack: tuple[EffectSettings, ...] = ()
    max_drive_db: float = 18.0
    match: Match | None = None
    moves: tuple[Move, ...] = ()
    start: int = 0

    def __post_init__(self) -> None:
        lufs = self.loudness_lufs
        if isinstance(lufs, str) and (lufs != "reference" or self.match is None):
            raise ProjectError(f"master.loudness_lufs is '{lufs}', and there is no reference to match")
        ranges = (
            ("loudness_lufs", None if isinstance(lufs, str) else lufs, QUIETEST_LUFS, LOUDEST_LUFS, "LUFS"),
            ("true_peak_dbtp", self.true_peak_dbtp, -12.0, 0.0, "dBTP"),
            ("max_drive_db", self.max_drive_db, 0.0, 40.0, "dB"),
        )
        for name, value, low, high, unit in ranges:
            if value is not None and not low <= value <= high:
                raise ProjectError(f"master.{name} is {value:g}, it must be {low:g} to {high:g} {unit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterReport:
    """What the master became. Levels are ``-inf`` for silence; None is too short to have one.

    Parameters
    ----------
    sample_rate, frames : int
        In Hz; the same length as the mix, to the sample.
    input_lufs, input_true_peak_dbtp : float
        Of the mix behind the rack; the peak by our own 8-times oversampling.
    integrated_lufs, loudness_range_lu, true_peak_dbtp, sample_peak_dbfs : float
        Measured on the finished file.
    gain_db : float
        Applied before the limiter.
    max_gain_reduction_db : float
        The most the limiter took off, 0 when it was not needed.
    passes : int
        How often the file was written until it fitted.
    reached : bool
        Whether the loudness is within 0.1 LU of its target (True when there is no target).
    reason : str
        Why not, or why no gain was given; empty when all is as asked.
    target_lufs : float or None
        What was asked for, or what the reference measures; None when there was no target.
    match : dict or None
        What the mix was filtered by to match a reference, see `match.Curve.summary`, and `reference_lufs`.
    """

    sample_rate: int
    frames: int
    input_lufs: float | None
    input_true_peak_dbtp: float
    integrated_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float
    sample_peak_dbfs: float
    gain_db: float
    max_gain_reduction_db: float
    passes: int
    reached: bool
    reason: str
    target_lufs: float | None = None
    match: dict[str, Any] | None = None
