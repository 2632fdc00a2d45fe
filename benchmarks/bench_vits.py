"""How fast the decoder of an RVC voice is on a CPU, trick by trick, against the plain graph of the same network.

    python benchmarks/bench_vits.py [--seconds 30] [--threads 2] [--runs 2] [--kind 40k]

The plain graph keeps weight norm as it was trained (a length and a direction) and decodes the whole stretch at once.
Each row is a process of its own: what one leaves in the allocator would help the next. Weights are drawn, so it is the
same work as with a trained voice; rows are compared with the plain one's sound. The best of the runs counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Of each row: weight norm kept, pieces of so many seconds (0: all at once), channels side by side, a third silent.
ROWS = {
    "plain": (True, 0.0, False, False),
    "weight norm fused": (False, 0.0, False, False),
    "and in pieces of 3 s": (False, 3.0, False, False),
    "and channels side by side: as it sings": (False, 3.0, True, False),
    "the same, a third of it silent": (False, 3.0, True, True),
}
KINDS = {
    "32k": ((10, 8, 2, 2), (20, 16, 4, 4)),
    "40k": ((10, 10, 2, 2), (16, 16, 4, 4)),
    "48k": ((12, 10, 2, 2), (24, 20, 4, 4)),
}


def one(row: str, seconds: float, threads: int, runs: int, kind: str, out: str) -> None:
    """Sing in this process; print seconds and peak memory, and keep the sound."""
    import numpy as np

    from covermaker.voices.networks import vits
    from covermaker.voices.networks.vits_config import VitsConfig
    from covermaker.voices.networks.vits_decoder import Decoder
    from covermaker.voices.networks.vits_network import build_network
    from covermaker.weights.device import set_network_threads, torch_ready

    torch = torch_ready()
    normed, piece, together, quiet = ROWS[row]
    set_network_threads(threads)
    torch.manual_seed(0)
    rates, kernels = KINDS[kind]
    hop = int(np.prod(rates))
    config = VitsConfig(
        sample_rate=100 * hop, hop_samples=hop, upsample_rates=rates, upsample_kernels=kernels
    )
    network = build_network(config)
    if normed:
        state = network.state_dict()
        network = build_network(config, torch.nn.utils.parametrizations.weight_norm)
        network.load_state_dict(_lengths(state, network.state_dict(), torch))
    vits._PIECE_SECONDS = piece or seconds + 10.0
    if not together:
        Decoder.quicken = lambda self: None
    singer = vits.VitsSynthesizer(network.requires_grad_(False))
    frames = round(seconds * 100)
    draws = np.random.default_rng(0)
    content = draws.standard_normal((frames, config.content_dim), dtype=np.float32)
    f0_hz = 220.0 * 2.0 ** np.sin(np.arange(frames) / 90)
    level = np.full(frames, -20.0)
    if quiet:
        level[frames // 3 : 2 * frames // 3] = -100.0
    pitch, best = singer.pitch(f0_hz), float("inf")
    for _ in range(runs):
        began = time.perf_counter()
        sound = singer.render(content, pitch, level, first_frame=0, seed=1)
        best = min(best, time.perf_counter() - began)
    np.save(out, sound)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps([best, peak]))


def _lengths(state: dict, wanted: dict, torch: object) -> dict:
    """Return fused weights as lengths and directions, under the names of torch's weight norm."""
    found = {}
    for name in wanted:
        plain, _, part = name.partition(".parametrizations.weight.original")
        if not part:
            found[name] = state[name]
            continue
        weight = state[f"{plain}.weight"]
        length = weight.flatten(1).norm(dim=1).reshape(-1, *[1] * (weight.dim() - 1))
        found[name] = length if part == "0" else weight
    return found


def main() -> None:
    """Sing all rows and compare."""
    import numpy as np

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--kind", choices=list(KINDS), default="40k")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.row:
        one(given.row, given.seconds, given.threads, given.runs, given.kind, given.out)
        return
    print(f"RVC v2 {given.kind}, {given.seconds:g} s of sound, {given.threads} threads, best of {given.runs}")
    print(f"{'':40} {'seconds':>8} {'x real':>7} {'x plain':>8} {'MB':>6}  difference")
    with tempfile.TemporaryDirectory() as folder:
        plain_seconds, plain = 0.0, np.zeros(0)
        for number, row in enumerate(ROWS):
            out = Path(folder) / f"{number}.npy"
            said = subprocess.run(
                [sys.executable, __file__, "--row", row, "--out", str(out), "--kind", given.kind,
                 "--seconds", str(given.seconds), "--threads", str(given.threads), "--runs", str(given.runs)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            seconds, peak = json.loads(said.stdout)
            sound = np.load(out).astype(np.float64)
            if row == "plain":
                plain_seconds, plain = seconds, sound
            apart = np.sqrt(np.mean((sound - plain) ** 2) / np.mean(plain**2))
            words = "" if row == "plain" or "silent" in row else f"{20 * np.log10(max(apart, 1e-12)):.0f} dB"
            print(
                f"{row:40} {seconds:8.2f} {given.seconds / seconds:7.2f} {plain_seconds / seconds:8.2f} "
                f"{peak / 2**20:6.0f}  {words}",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
