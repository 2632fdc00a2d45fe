"""What the tests of plug-ins share: sounds, racks of one plug-in, streams cut in pieces."""

from __future__ import annotations

import numpy as np

from covermaker.effects.rack import Rack, parse_rack

RATE = 44100


def noise(frames: int, channels: int = 2, seed: int = 1) -> np.ndarray:
    """Return noise well below full scale, the channels different."""
    return (
        (0.2 * np.random.default_rng(seed).standard_normal((channels, frames))).clip(-1, 1).astype(np.float32)
    )


def row(plugin: str, **more: object) -> dict[str, object]:
    """Return the row of a plug-in."""
    return {"effect": "vst3", "plugin": plugin, **more}


def rack(*rows: dict[str, object], channels: int = 2) -> Rack:
    """Return a rack."""
    return Rack(parse_rack(rows, where="rack"), sample_rate=RATE, channels=channels)


def cut(rack: Rack, sound: np.ndarray, size: int) -> np.ndarray:
    """Send a sound through in pieces."""
    return np.concatenate(
        [rack.process(sound[:, at : at + size]) for at in range(0, sound.shape[1], size)], axis=1
    )


def in_place(rack: Rack, sound: np.ndarray, size: int | None = None) -> np.ndarray:
    """Send a sound through, pushed along with silence, and put what comes out back into place."""
    late = rack.latency_samples
    pushed = np.concatenate([sound, np.zeros((len(sound), late), np.float32)], axis=1)
    return cut(rack, pushed, size or pushed.shape[1])[:, late:]
