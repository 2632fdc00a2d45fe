"""What a voice has beside its weights: the network's shape, the index, how the singer sounds, what its card tells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from covermaker.training.chronicle import RULE
from covermaker.voices.networks.ddsp_config import DdspConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from covermaker.training.dataset import Dataset
    from covermaker.training.pitch_range import PitchRange
    from covermaker.training.prepare import Prepared
    from covermaker.training.profiles import Profile, Size

_EMBEDDED_SECONDS = 120.0
_MOST_IVF_ROWS = 200_000  # of more, centres of clusters stand for all
_IVF_CLUSTERS = 10_000
_LEAST_IVF_ROWS = 39  # a list
_IVF_ROUNDS = 10


def network_config(sample_rate: int, content_dim: int, speakers: int, size: Size) -> DdspConfig:
    """Return the network for a voice's rate."""
    hop = sample_rate // 100
    wide = sample_rate >= 32_000
    return DdspConfig(
        sample_rate=sample_rate,
        content_dim=content_dim,
        hidden=size.hidden,
        inner=size.inner,
        dilations=size.dilations,
        harmonic_bands=128 if wide else 96,
        noise_bands=80 if wide else 64,
        harmonic_fft=1 << math.ceil(math.log2(4 * hop)),
        noise_fft=1 << math.ceil(math.log2(3 * hop)),
        speakers=speakers,
        memory_rows=size.memory_rows,
        level_frames=size.level_frames,
    )


def facts_of(
    ready: Prepared,
    dataset: Dataset,
    profile: Profile,
    seed: int,
    run: Mapping[str, Any],
    takes_pitch: PitchRange,
) -> dict[str, Any]:
    """Return what a card tells of its training, whichever step becomes the voice."""
    low_hz, median_hz, high_hz = (round(hz, 1) for hz in takes_pitch)
    return {
        "profile": profile.name,
        "clips": len(ready.sources),
        "minutes_of_takes": round(sum(source.seconds for source in ready.sources) / 60.0, 1),
        "pitch_of_takes": {"low_hz": low_hz, "median_hz": median_hz, "high_hz": high_hz},
        "minutes_of_examples": round(dataset.seconds / 60.0, 1),
        "speakers": ready.singers,
        "seed": seed,
        "data_sha256": run["data_sha256"],
        "rule": RULE,
    }


def build_voice_index(dataset: Dataset, path: Path, seed: int) -> None:
    """Build the retrieval index of the clean readings."""
    from covermaker.voices.index import build_index

    build_index(dataset.clean_content(), path, seed=seed)


def build_voice_ivf(dataset: Dataset, path: Path, seed: int) -> None:
    """Build the retrieval index of the clean readings as RVC does: rows as they are, in inverted lists."""
    from covermaker.voices.index_ivf import write_ivf

    rows = dataset.clean_content()
    if len(rows) > _MOST_IVF_ROWS:
        rows, _ = _k_means(rows, _IVF_CLUSTERS, seed)
    lists = max(1, min(int(16 * math.sqrt(len(rows))), len(rows) // _LEAST_IVF_ROWS))
    centres, belongs = _k_means(rows, lists, seed)
    write_ivf(path, rows, centres, belongs, nprobe=1)


def _k_means(
    rows: NDArray[np.float32], count: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the centres of clusters, and the cluster of each row."""
    import faiss

    rows = np.ascontiguousarray(rows)
    means = faiss.Kmeans(
        rows.shape[1], count, niter=_IVF_ROUNDS, seed=seed + 1, min_points_per_centroid=1,
        max_points_per_centroid=256,
    )  # fmt: skip
    means.train(rows)
    _, belongs = means.index.search(rows, 1)
    return np.asarray(means.centroids, dtype=np.float32), np.asarray(belongs[:, 0], dtype=np.int64)


def speaker_embedding(dataset: Dataset, work: Path) -> NDArray[np.float32] | None:
    """Return what the singer sounds like: the embedding of two minutes of examples of every kind.

    Of several singers it is the first one, who sings where nobody is asked for: a mean of two is nobody's voice.
    """
    from covermaker.audio.files import wav_writer
    from covermaker.evaluate.speaker_encoder import NoVoiceError, embed

    path = work / "embedded.wav"
    examples = [example for example in dataset.examples if example.speaker == 0]
    seconds = sum(len(example.target) for example in examples) / (100 * dataset.hop_samples)
    picked = examples[:: max(1, int(seconds // _EMBEDDED_SECONDS))]
    joined = np.concatenate([example.target for example in picked])
    try:
        with wav_writer(path, sample_rate=100 * dataset.hop_samples, channels=1) as file:
            file.write(joined[np.newaxis, : round(_EMBEDDED_SECONDS * 100 * dataset.hop_samples)])
        return embed(path)
    except NoVoiceError:
        return None
    finally:
        path.unlink(missing_ok=True)
