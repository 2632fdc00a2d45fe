"""How fast a desk with full racks is mixed and mastered, and one vocal chain beside pedalboard's own and sox.

    python benchmarks/bench_mix.py [--seconds 180] [--runs 3]

The song is real sound, repeated; four stems, effects on every track, two buses, a group that is ducked by the vocal, a
master with its loudness loop. What is timed is what a render does once the stems are there. Where the time goes is
told step by step; steps of racks run side by side, so that they add up to more than the whole.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from covermaker.audio.files import read
from covermaker.effects.rack import InPlace, Rack, parse_rack
from covermaker.graph.events import StepFinished
from covermaker.graph.run import run
from covermaker.graph.store import Store
from covermaker.project.load import load
from covermaker.render.pipeline import build
from songs import long_song

RATE = 44_100
STEMS = ("vocals", "drums", "bass", "other")
COVER = """schema = 1
title = "Bench"
[song]
file = "song.wav"
tempo_bpm = 120.0
[stems]
separator = "provided"
files = { vocals = "vocals.wav", drums = "drums.wav", bass = "bass.wav", other = "other.wav" }
[[tracks]]
name = "vocals"
source = "vocals"
sends = { reverb = -15.0, delay = -20.0 }
rack = [
    { effect = "gate", threshold_db = -50.0 },
    { effect = "high_pass", cutoff_hz = 90.0 },
    { effect = "eq", band1_db = -2.5, band3_db = 2.0, high_shelf_db = 2.5 },
    { effect = "de_esser" },
    { effect = "compressor", threshold_db = -24.0, ratio = 4.0 },
    { effect = "saturation" },
]
[[tracks]]
name = "drums"
source = "drums"
group = "band"
rack = [
    { effect = "gate", threshold_db = -60.0 },
    { effect = "eq", low_shelf_db = 2.0, band4_db = 1.5 },
    { effect = "compressor", threshold_db = -20.0, ratio = 3.0, attack_ms = 20.0 },
]
[[tracks]]
name = "bass"
source = "bass"
group = "band"
rack = [
    { effect = "high_pass", cutoff_hz = 30.0 },
    { effect = "eq", band1_db = -2.0, band2_db = 1.0 },
    { effect = "compressor", threshold_db = -22.0, ratio = 4.0 },
]
[[tracks]]
name = "other"
source = "other"
group = "band"
rack = [
    { effect = "eq", band2_db = -1.5, high_shelf_db = 1.0 },
    { effect = "compressor", threshold_db = -20.0, ratio = 2.0 },
    { effect = "width", width = 1.2 },
]
[[groups]]
name = "band"
rack = [{ effect = "compressor", sidechain = "vocals", threshold_db = -30.0, ratio = 1.5 }]
[[buses]]
name = "reverb"
rack = [{ effect = "reverb", wet_db = 0.0, dry_db = -100.0 }]
[[buses]]
name = "delay"
rack = [{ effect = "delay", sync = "1/8d", wet_db = 0.0, dry_db = -100.0 }]
[master]
rack = [{ effect = "eq", high_shelf_db = 0.5 }, { effect = "compressor", threshold_db = -16.0, ratio = 2.0 }]
"""

# As pedalboard has them: without the band limits that our reverb and delay have by default.
_OPEN = {"low_cut_hz": 20.0, "high_cut_hz": 20000.0}
OURS = [
    {"effect": "gate", "threshold_db": -50.0},
    {"effect": "high_pass", "cutoff_hz": 80.0},
    {"effect": "eq", "band1_db": -3.0},
    {"effect": "compressor", "threshold_db": -20.0, "ratio": 3.0},
    {"effect": "reverb", "wet_db": -12.0, **_OPEN},
    {"effect": "delay", "time_ms": 300.0, "wet_db": -16.0, **_OPEN},
]


def project_of(folder: Path, seconds: float) -> Path:
    """Write a song and four stems that are not alike."""
    song = read(long_song(folder / "song.wav", seconds)).samples
    for number, name in enumerate(STEMS):
        stem = np.roll(song, number * 3 * RATE, axis=1) * np.float32(0.4)
        soundfile.write(folder / f"{name}.wav", stem.T, RATE, subtype="FLOAT")
    (folder / "cover.toml").write_text(COVER, encoding="utf-8")
    return folder


def mix_and_master(folder: Path, seconds: float) -> None:
    """Time everything behind the stems, in a fresh store."""
    store = Store(folder / "store")
    river = build(load(folder), store=store)
    run(store, [river.separate], listener=lambda _: None)
    spent: dict[str, float] = {}

    def note(event: object) -> None:
        if isinstance(event, StepFinished):
            spent[event.name] = event.seconds

    began = time.perf_counter()
    run(store, [river.master], listener=note)
    whole = time.perf_counter() - began
    for name, took in spent.items():
        print(f"  {name:16} {took:6.2f} s")
    print(f"mix and master of {seconds:g} s: {whole:.2f} s, {seconds / whole:.1f} times real time")
    shutil.rmtree(folder / "store")


def ours(sound: np.ndarray) -> None:
    """Six effects in a row, as a render streams them."""
    rack = InPlace(Rack(parse_rack(OURS, where="rack"), sample_rate=RATE, channels=2), 2)
    for at in range(0, sound.shape[1], 32768):
        rack.process(sound[:, at : at + 32768])
    rack.finish()


def pedalboards(sound: np.ndarray) -> None:
    """Run the same effects of pedalboard, streamed in the same blocks."""
    import pedalboard as pb

    board = pb.Pedalboard(
        [
            pb.NoiseGate(threshold_db=-50.0),
            pb.HighpassFilter(80.0),
            pb.PeakFilter(250.0, gain_db=-3.0),
            pb.Compressor(threshold_db=-20.0, ratio=3.0),
            pb.Reverb(wet_level=0.2, dry_level=0.5),
            pb.Delay(delay_seconds=0.3, feedback=0.25, mix=0.2),
        ]
    )
    board.reset()
    for at in range(0, sound.shape[1], 32768):
        board.process(np.ascontiguousarray(sound[:, at : at + 32768]), RATE, reset=False)


def soxs(folder: Path) -> None:
    """Run the nearest of sox, from file to file."""
    subprocess.run(
        ["sox", folder / "song.wav", "-b", "16", folder / "sox.wav", "compand", "0.01,0.15", "-90,-90,-50,-80,-20,-20",
         "highpass", "80", "equalizer", "250", "1q", "-3", "compand", "0.01,0.12", "-60,-60,-20,-20,0,-13",
         "reverb", "40", "echo", "0.8", "0.9", "300", "0.2"],
        check=True, capture_output=True,
    )  # fmt: skip


def seconds_of(work: object, *arguments: object) -> float:
    began = time.perf_counter()
    work(*arguments)  # type: ignore[operator]
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = project_of(Path(name), options.seconds)
        for number in range(options.runs):
            print(f"run {number + 1}")
            mix_and_master(folder, options.seconds)
        sound = read(folder / "song.wav").samples
        peers = {"ours": (ours, sound), "pedalboard": (pedalboards, sound)}
        if shutil.which("sox"):
            peers["sox"] = (soxs, folder)
        found: dict[str, list[float]] = {peer: [] for peer in peers}
        for _ in range(options.runs):
            for peer, (work, argument) in peers.items():
                found[peer].append(seconds_of(work, argument))
        medians = {peer: statistics.median(took) for peer, took in found.items()}
        for peer, median in medians.items():
            print(
                f"six effects, {peer:10} {median:6.2f} s, ours is {median / medians['ours']:.2f} times as fast"
            )


if __name__ == "__main__":
    main()
