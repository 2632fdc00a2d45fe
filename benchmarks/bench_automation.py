"""What a moving parameter adds to a steady sound: peak above 5 kHz of a 440 Hz sine of 0.3 full scale.

    python benchmarks/bench_automation.py

A sweep of 10 s through each rack, and the same rack at both ends of the sweep. Told is the highest of what the
static settings have not; -70 dB is asked. The sine is cut out by a steep high-pass, the first second is left out.
"""

from __future__ import annotations

import sys

import numpy as np

from covermaker.effects.automation import Automation, Move
from covermaker.effects.rack import InPlace, Rack, parse_rack

RATE, SECONDS, LOW_HZ = 44_100, 12.0, 5000.0
SWEEPS = [
    ("gain", "gain_db", -12.0, 0.0, {}),
    ("eq", "band2_db", 0.0, 12.0, {"band2_hz": 440.0}),
    ("eq", "band2_hz", 200.0, 4000.0, {"band2_db": 9.0}),
    ("high_pass", "cutoff_hz", 50.0, 2000.0, {}),
    ("low_pass", "cutoff_hz", 8000.0, 500.0, {}),
    ("compressor", "threshold_db", 0.0, -40.0, {"ratio": 4.0}),
    ("gate", "threshold_db", -60.0, -3.0, {}),
    ("delay", "time_ms", 200.0, 400.0, {"feedback": 0.3, "wet_db": -6.0}),
    ("delay", "wet_db", -40.0, 0.0, {"time_ms": 250.0}),
    ("reverb", "wet_db", -40.0, 0.0, {}),
    ("saturation", "drive_db", 0.0, 12.0, {}),
    ("width", "width", 0.0, 1.8, {}),
    ("tremolo", "depth", 0.0, 1.0, {}),
    ("de_esser", "threshold_db", 0.0, -40.0, {}),
]  # fmt: skip


def peak_above(sound: np.ndarray) -> float:
    """Return the highest sample above 5 kHz in dBFS, the ends of the sound left out."""
    spectrum = np.fft.rfft(sound * np.hanning(sound.shape[1]) ** 0.1)
    hz = np.fft.rfftfreq(sound.shape[1], 1 / RATE)
    spectrum *= np.clip((hz - LOW_HZ * 0.9) / (LOW_HZ * 0.1), 0.0, 1.0)
    high = np.fft.irfft(spectrum)[:, RATE:-RATE]
    return float(20 * np.log10(max(np.abs(high).max(), 1e-12)))


def through(effect: str, row: dict[str, object], moves: tuple[Move, ...] = ()) -> np.ndarray:
    time = np.arange(round(SECONDS * RATE)) / RATE
    sine = (0.3 * np.sin(2 * np.pi * 440.0 * time)).astype(np.float32)
    rack = InPlace(
        Rack(parse_rack([{"effect": effect, **row}], where=""), sample_rate=RATE, channels=2, moves=moves), 2
    )
    return np.concatenate([rack.process(np.stack([sine, sine])), rack.finish()], axis=1)


def main() -> int:
    failed = False
    print("effect       parameter       static (both ends)   moving")
    for effect, name, begin, end, row in SWEEPS:
        static = [peak_above(through(effect, {**row, name: value})) for value in (begin, end)]
        course = Automation(((1.0, begin), (11.0, end)))
        moving = peak_above(through(effect, {**row, name: begin}, (Move(0, name, course),)))
        # A mix of harmonics that a setting between the ends has by itself is its own sound, told beside it.
        between = peak_above(through(effect, {**row, name: (begin + end) / 2}))
        added = moving > max(-70.0, *static, between)
        failed |= added
        print(
            f"{effect:12} {name:14} {static[0]:7.1f} {static[1]:7.1f} dB   {moving:7.1f} dB"
            f"{'   adds energy' if added else ''}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
