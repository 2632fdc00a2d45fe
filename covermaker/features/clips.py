"""All features of many clips: over several cores, and out of the cache where they are kept.

Pitch and loudness are read by one process a core, each with one thread; content by this process, several clips to a
window where the encoder reads 30 s whatever it is given.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from covermaker.features.cache import feature_path, read_feature, sound_sha256, write_feature
from covermaker.features.content import CONTENT_RATE, ENCODER, clip_groups, read_group
from covermaker.features.content import VERSION as JOIN_VERSION
from covermaker.features.encoders import encoders_of
from covermaker.features.encoders.base import SAMPLE_RATE
from covermaker.features.loudness import frame_loudness_db
from covermaker.features.pitch import METHODS, estimate_pitch
from covermaker.features.workers import in_processes
from covermaker.progress import Progress, part, silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LOUDNESS_VERSION = 1


class ClipFeatures(NamedTuple):
    """What is known of a clip: `content` float16 (rows, width), `f0_hz` and `loudness_db` float32 (frames,)."""

    content: NDArray[np.float16]
    f0_hz: NDArray[np.float32]
    loudness_db: NDArray[np.float32]


def clip_features(
    clips: Sequence[Path | NDArray[np.float32]],
    *,
    cache: Path,
    encoder: str = ENCODER,
    pitch: str = "fcpe",
    pitch_options: Mapping[str, Any] | None = None,
    workers: int = 2,
    device: str = "cpu",
    progress: Progress = silent,
) -> list[ClipFeatures]:
    """Read content, pitch and loudness of many clips.

    Parameters
    ----------
    clips : sequence of Path or float32 array (n,)
        Files of any rate, or mono arrays at 16 kHz.
    cache : Path
        Folder where results are kept and looked for.
    encoder : str
        A name of `encoders.ENCODERS`, or several joined by ``+``.
    pitch : str
        A name of `pitch.METHODS`.
    pitch_options : mapping, optional
        Further options of `pitch.estimate_pitch`: limits, ``repair_octaves``, ``smooth_frames``.
    workers : int
        Processes for the pitch. The result does not depend on it.
    device : str
        Where networks run. On anything but the CPU the pitch is read by this process.
    progress : Progress
        Told the finished fraction.

    Returns
    -------
    list of ClipFeatures
        In the order of `clips`. Rows of content depend, a little, on the clips that share a window: they are kept
        under the hashes of the whole window, so that the same list of clips always gives the same numbers.

    Raises
    ------
    AudioInputError, UsageError, WeightsError
    ResourceError
        When the cache cannot be written or a process dies.
    """
    sounds = [sound_sha256(clip) for clip in clips]
    options = dict(pitch_options or {})
    curves = _pitch_and_loudness(
        clips, sounds, cache, pitch, options, workers, device, part(progress, 0.0, 0.5)
    )
    content = _content(clips, sounds, cache, encoder, device, part(progress, 0.5, 1.0))
    progress(1.0)
    return [ClipFeatures(rows, *pair) for rows, pair in zip(content, curves, strict=True)]


def _content(
    clips: Sequence[Path | NDArray[np.float32]],
    sounds: Sequence[str],
    cache: Path,
    encoder: str,
    device: str,
    progress: Progress,
) -> list[NDArray[np.float16]]:
    readers = encoders_of(encoder)
    lengths = [_length_16k(clip) for clip in clips]
    columns: list[list[NDArray[np.float16]]] = []
    for index, reader in enumerate(readers):
        told = part(progress, index / len(readers), (index + 1) / len(readers))
        params = {
            "encoder": reader.NAME,
            "version": reader.VERSION,
            "join": JOIN_VERSION,
            "weights": _fingerprints(reader.WEIGHTS),
        }
        column: list[NDArray[np.float16]] = []
        for group in clip_groups(lengths, reader):
            path = feature_path(cache, "content", params, tuple(sounds[number] for number in group))
            stops = np.cumsum([-(-lengths[number] * CONTENT_RATE // SAMPLE_RATE) for number in group])
            rows = read_feature(path)
            if rows is None or rows.shape != (stops[-1], reader.WIDTH):
                heard = [_at_16k(clips[number]) for number in group]
                rows = np.concatenate(read_group(heard, reader, device=device))
                write_feature(path, rows)
            column += np.split(rows, stops[:-1])
            told(len(column) / len(clips))
        columns.append(column)
    return [np.concatenate(rows, axis=1) if len(rows) > 1 else rows[0] for rows in zip(*columns, strict=True)]


def _pitch_and_loudness(
    clips: Sequence[Path | NDArray[np.float32]],
    sounds: Sequence[str],
    cache: Path,
    method: str,
    options: Mapping[str, Any],
    workers: int,
    device: str,
    progress: Progress,
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    member = METHODS.load(method)
    params = {
        "method": method,
        "version": member.VERSION,
        "loudness": LOUDNESS_VERSION,
        "weights": _fingerprints(member.WEIGHTS),
        "options": dict(options),
    }
    paths = [feature_path(cache, "pitch", params, (sound,)) for sound in sounds]
    curves = {path: read_feature(path) for path in paths}
    missing = {path: clip for path, clip in zip(paths, clips, strict=True) if curves[path] is None}
    jobs = [(clip, path, method, dict(options), device) for path, clip in missing.items()]
    for done, (path, made) in enumerate(
        in_processes(_read_curves, jobs, workers=workers if device == "cpu" else 1), start=1
    ):
        curves[path] = made
        progress(done / len(jobs))
    progress(1.0)
    return [(pair[0], pair[1]) for path in paths if (pair := curves[path]) is not None]


# Clip, where its curves are kept, method, options, device.
_Job: TypeAlias = tuple["Path | NDArray[np.float32]", Path, str, dict[str, Any], str]


def _read_curves(job: _Job) -> tuple[Path, NDArray[np.float32]]:
    """Read pitch and loudness of one clip, keep them and return them as rows of one array."""
    clip, path, method, options, device = job
    with tempfile.TemporaryDirectory(prefix="covermaker-") as folder:
        file = clip if isinstance(clip, Path) else _as_file(clip, Path(folder) / "clip.wav")
        f0_hz = estimate_pitch(file, method=method, device=device, **options)
        both = np.stack([f0_hz, frame_loudness_db(file)])
    write_feature(path, both)
    return path, both


def _as_file(samples: NDArray[np.float32], path: Path) -> Path:
    from covermaker.audio.files import wav_writer

    with wav_writer(path, sample_rate=SAMPLE_RATE, channels=1) as out:
        out.write(np.asarray(samples, dtype=np.float32)[None])
    return path


def _at_16k(clip: Path | NDArray[np.float32]) -> NDArray[np.float32]:
    from covermaker.audio.mono import read_mono

    if isinstance(clip, Path):
        heard: NDArray[np.float32] = read_mono(clip, sample_rate=SAMPLE_RATE).samples[0]
        return heard
    return np.asarray(clip, dtype=np.float32)


def _length_16k(clip: Path | NDArray[np.float32]) -> int:
    from covermaker.audio.files import probe
    from covermaker.audio.resample import resampled_frames

    if not isinstance(clip, Path):
        return len(clip)
    info = probe(clip)
    return resampled_frames(info.frames, info.sample_rate, SAMPLE_RATE)


def _fingerprints(names: Sequence[str]) -> list[str]:
    from covermaker.weights.catalog import fingerprint

    return [fingerprint(name) for name in names]
