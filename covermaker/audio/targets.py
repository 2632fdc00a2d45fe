"""How loud platforms want a finished song: the one table that the project file, the docs and the commands read.

Services that turn songs up or down play every loudness at their own level; a master at that level is heard as it was
made. Integrated loudness after ITU-R BS.1770, true peak after its annex 2. What the services say of themselves changes
now and then; the sentences tell what each does with a song that is off its level.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What one platform asks for.

    Parameters
    ----------
    loudness_lufs : float
        Integrated loudness.
    true_peak_dbtp : float
        Ceiling.
    about : str
        One sentence on what it does with other levels.
    """

    loudness_lufs: float
    true_peak_dbtp: float
    about: str

    @property
    def levels(self) -> dict[str, float]:
        """Both levels by the keys that ``[master]`` has for them."""
        return {"loudness_lufs": self.loudness_lufs, "true_peak_dbtp": self.true_peak_dbtp}


TARGETS: dict[str, Target] = {
    "spotify": Target(
        -14.0, -1.0, "Spotify: turns louder songs down, and quieter ones up as far as their peaks stay below -1 dBTP."
    ),
    "spotify-loud": Target(
        -11.0, -2.0, "Spotify's setting 'loud': masters above -14 LUFS should keep 2 dB for its encoder."
    ),
    "apple": Target(-16.0, -1.0, "Apple Music with Sound Check: turns songs up and down to -16 LUFS."),
    "youtube": Target(-14.0, -1.0, "YouTube and YouTube Music: turn louder songs down, never quieter ones up."),
    "tidal": Target(-14.0, -1.0, "Tidal: whole albums are moved together, by their loudest song."),
    "amazon": Target(-14.0, -2.0, "Amazon Music: asks for 2 dB of room below full scale."),
    "deezer": Target(-15.0, -1.0, "Deezer: turns songs up and down to -15 LUFS."),
    "soundcloud": Target(-14.0, -1.0, "SoundCloud: levels little, but encodes hard: the ceiling matters."),
    "podcast": Target(-16.0, -1.0, "Podcasts in stereo, and most speech platforms."),
    "ebu-r128": Target(-23.0, -1.0, "European radio and television, EBU R 128; refused when off by more than 0.5 LU."),
    "atsc-a85": Target(-24.0, -2.0, "North American television, ATSC A/85."),
    "cd": Target(-9.0, -1.0, "Loud, as discs are; dense songs reach it, others are told how far they came."),
    "club": Target(-8.0, -1.0, "Louder still, for a DJ's table beside other such songs; nothing levels there."),
}  # fmt: skip
