"""Parts and beats of a song as label tracks: text that Audacity, Reaper, Ardour and Tenacity read.

A line a label: begin and end in seconds and the text, with tabs between them (Audacity's "Export Labels").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from covermaker.disk import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from covermaker.features.song.music import Music


def section_labels(music: Music) -> list[tuple[float, float, str]]:
    """Return the parts of a song."""
    return [(part.from_seconds, part.to_seconds, part.name) for part in music.sections]


def beat_labels(music: Music) -> list[tuple[float, float, str]]:
    """Return the beats as ``bar.beat``, or counted through where bars are not clear."""
    labels = []
    for index, time in enumerate(music.beats):
        text = str(index + 1)
        if music.beats_per_bar:
            bar, beat = divmod(index - music.first_downbeat, music.beats_per_bar)
            text = f"{bar + 1}.{beat + 1}"
        labels.append((time, time, text))
    return labels


def write_labels(file: Path, labels: Iterable[tuple[float, float, str]]) -> None:
    """Write labels, whole or not at all; tabs and line ends of a text become spaces."""
    lines = [f"{start:.6f}\t{stop:.6f}\t{' '.join(text.split())}\n" for start, stop, text in labels]
    write_text(file, "".join(lines))
