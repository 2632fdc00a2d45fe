"""The master against a loop around pedalboard's true-peak limiter: time, loudness, true peak, distortion.

The peer is what one writes without a limiter of one's own: measure with libebur128, set the gain, stream through
`pedalboard.BrickwallLimiter(true_peak=True)` with its ceiling 0.2 dB low, measure again, add what is missing to the
gain, until within 0.05 LU or after 8 passes. Both start from one float WAV and end with one, measured. Rounds
alternate; times are CPU seconds, medians.

    OMP_NUM_THREADS=1 python benchmarks/bench_master.py --seconds 180
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from covermaker.audio.files import blocks, probe, read, wav_writer
from covermaker.audio.loudness import MOMENTARY_HOPS, LoudnessMeter
from covermaker.master.blocks import BlockAnalyser, output_meter
from covermaker.master.limiter import CHUNK_BLOCKS, GainCurve
from covermaker.master.master import MasterSettings, master_file
from covermaker.master.prediction import LoudnessModel
from songs import long_song

CEILING_DBTP = -1.0
PEER_MARGIN_DB = 0.2
RATE = 44_100


def timed(work):
    """Return (CPU seconds, result)."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def libebur128(path: Path, *, true_peak: bool) -> tuple[float, float]:
    """Return (LUFS, dBTP) by libebur128 alone."""
    import pyebur128

    info = probe(path)
    mode = pyebur128.MeasurementMode.MODE_I
    mode |= pyebur128.MeasurementMode.MODE_TRUE_PEAK if true_peak else mode
    state = pyebur128.R128State(info.channels, info.sample_rate, mode)
    for block in blocks(path):
        state.add_frames(np.ascontiguousarray(block.T).reshape(-1), block.shape[1])
    peak = max(pyebur128.get_true_peak(state, c) for c in range(info.channels)) if true_peak else 1.0
    return pyebur128.get_loudness_global(state), 20.0 * np.log10(peak)


def peer_pass(source: Path, out: Path, gain_db: float) -> None:
    import pedalboard

    limiter = pedalboard.BrickwallLimiter(ceiling_db=CEILING_DBTP - PEER_MARGIN_DB, true_peak=True)
    board = pedalboard.Pedalboard([pedalboard.Gain(gain_db=gain_db), limiter])
    board.reset()
    info = probe(source)
    left = info.frames
    with wav_writer(out, sample_rate=info.sample_rate, channels=info.channels) as writer:

        def push(block):
            nonlocal left
            made = board.process(block, info.sample_rate, buffer_size=8192, reset=False)[:, :left]
            if made.shape[1]:
                writer.write(made)
                left -= made.shape[1]

        for block in blocks(source):
            push(block)
        while left > 0:  # what its lookahead holds back
            push(np.zeros((info.channels, 8192), np.float32))


def peer_master(source: Path, out: Path, target_lufs: float) -> tuple[float, float, int]:
    loudness, _ = libebur128(source, true_peak=False)
    gain_db = target_lufs - loudness
    passes = 0
    while passes < 8:
        passes += 1
        peer_pass(source, out, gain_db)
        loudness, _ = libebur128(out, true_peak=False)
        if abs(loudness - target_lufs) <= 0.05:
            break
        gain_db += target_lufs - loudness
    return *libebur128(out, true_peak=True), passes


def stages(source: Path, out: Path) -> list[tuple[str, float]]:
    """Return the CPU seconds of each part of one master, measured one by one."""
    info = probe(source)
    analyser = BlockAnalyser(channels=info.channels, sample_rate=info.sample_rate)
    meter = LoudnessMeter(info.channels, info.sample_rate)

    def feed(sink, path=source):
        for block in blocks(path):
            sink.push(block)

    rows = [
        ("read only", timed(lambda: sum(block.shape[1] for block in blocks(source)))[0]),
        ("true peak of every block (8x), with reading", timed(lambda: feed(analyser))[0]),
        ("loudness of every window, with reading", timed(lambda: feed(meter))[0]),
    ]
    peaks, energies = analyser.finish()
    curve = GainCurve(peaks, block=analyser.block, sample_rate=info.sample_rate)
    model = LoudnessModel(meter.energies(MOMENTARY_HOPS), energies, meter.hop)
    rows.append(("one prediction", timed(lambda: model.predict(curve, drive=2.0, ceiling=0.88))[0]))

    def write_pass():
        nodes = curve.nodes(drive=2.0, ceiling=0.88)
        chunk = CHUNK_BLOCKS * curve.block
        with wav_writer(out, sample_rate=info.sample_rate, channels=info.channels) as writer:
            for block, gain in zip(blocks(source, block_frames=chunk), nodes, strict=True):
                writer.write(curve.apply(block, gain, drive=2.0))

    rows.append(("one limited pass, read and written", timed(write_pass)[0]))
    peaks = output_meter(info.channels, info.sample_rate)
    rows.append(("both true peaks of the result, with reading", timed(lambda: feed(peaks, out))[0]))
    return rows


def write(path: Path, mono: np.ndarray) -> Path:
    with wav_writer(path, sample_rate=RATE, channels=2) as writer:
        writer.write(np.tile(mono.astype(np.float32), (2, 1)))
    return path


def power(samples: np.ndarray, hz: list[float]) -> float:
    """Return the power of a steady stretch at some frequencies (multiples of 0.1 Hz)."""
    spectrum = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    return float(sum(spectrum[round(10 * f) - 5 : round(10 * f) + 6].sum() for f in hz))


def distortion(folder: Path, name: str) -> list[str]:
    """Return what each limiter adds to steady low tones driven 6 dB over the ceiling, in dB."""
    at = np.arange(13 * RATE) / RATE
    tones = {
        "THD 30 Hz": (np.sin(2 * np.pi * 30 * at), [30], [30 * n for n in range(2, 40)]),
        "THD 50 Hz": (np.sin(2 * np.pi * 50 * at), [50], [50 * n for n in range(2, 40)]),
        # SMPTE RP 120: 60 Hz and 7 kHz, 4 to 1; side bands against the high tone.
        "IMD 60 Hz + 7 kHz": (
            0.8 * np.sin(2 * np.pi * 60 * at) + 0.2 * np.sin(2 * np.pi * 7000 * at),
            [7000],
            [7000 + 60 * n for n in range(-5, 6) if n],
        ),
    }
    words = []
    for label, (tone, wanted, unwanted) in tones.items():
        source, out = (
            write(folder / "tone.wav", 2.0 * tone * 10 ** (CEILING_DBTP / 20)),
            folder / "limited.wav",
        )
        if name == "ours":
            master_file(source, out, settings=MasterSettings(loudness_lufs=None, true_peak_dbtp=CEILING_DBTP))
        else:
            peer_pass(source, out, 0.0)
        steady = read(out).samples[0, RATE : 11 * RATE].astype(np.float64)
        words.append(f"{label} {10 * np.log10(power(steady, unwanted) / power(steady, wanted)):.0f} dB")
    return words


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--targets", type=float, nargs="+", default=[-14.0, -9.0])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song, out = long_song(folder / "song16.wav", options.seconds), folder / "master.wav"
        # A dynamic mix: the song 12 dB down with a hit every second at full level.
        peaky = folder / "peaky.wav"
        loud = read(song).samples.copy()
        hits = (np.arange(loud.shape[1]) % RATE) < 400
        loud *= np.where(hits, 1.0, 0.25).astype(np.float32)
        with wav_writer(peaky, sample_rate=RATE, channels=2) as writer:
            writer.write(loud)
        print(f"stages for {options.seconds:g} s of stereo at 44.1 kHz, CPU seconds:")
        for label, seconds in stages(song, out):
            print(f"  {seconds:6.2f}  {label}")
        print("whole masters, CPU seconds:")
        for kind, source in (("song", song), ("peaky", peaky)):
            for target in options.targets:
                settings = MasterSettings(loudness_lufs=target, true_peak_dbtp=CEILING_DBTP)
                ours, peers = [], []
                for _ in range(options.rounds):
                    seconds, report = timed(lambda: master_file(source, out, settings=settings))  # noqa: B023
                    ours.append(seconds)
                    seconds, peer = timed(lambda: peer_master(source, folder / "peer.wav", target))  # noqa: B023
                    peers.append(seconds)
                mine, theirs = statistics.median(ours), statistics.median(peers)
                lufs, peak = libebur128(out, true_peak=True)
                print(
                    f"  {kind:5} to {target:g} LUFS: ours {mine:.2f} s, {report.passes} passes, {lufs:.2f} LUFS, "
                    f"{peak:.2f} dBTP, reduction {report.max_gain_reduction_db:.1f} dB"
                    + ("" if report.reached else f" [{report.reason}]")
                )
                print(
                    f"        pedalboard loop {theirs:.2f} s, {peer[2]} passes, {peer[0]:.2f} LUFS, {peer[1]:.2f} "
                    f"dBTP; it takes {theirs / mine:.1f} times as long"
                )
        print("6 dB over the ceiling, distortion:")
        for who in ("ours", "pedalboard"):
            print(f"  {who:10} " + ", ".join(distortion(folder, who)))


if __name__ == "__main__":
    main()
