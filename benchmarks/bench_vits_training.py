"""How many steps of a VITS training a second: a plain one in float32 beside ours, the same batch and weights.

The plain one has torch's own weight norm and optimiser, asks the discriminators apart for what is real and what is
sung, and computes in float32 without TF32. Ours is what `covermaker train --network vits` does on this device. On a GPU
it is RVC's network at 40 kHz; on a CPU, unless `--full` is given, one of a few thousand weights, whose figures say
little of the large one.

    python benchmarks/bench_vits_training.py --batch 8
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from unittest import mock

import numpy as np

from covermaker.training.dataset import Dataset, Example
from covermaker.training.lessons import LESSONS
from covermaker.training.profiles import PROFILES
from covermaker.weights.device import pick_device, torch_ready

TINY = {
    "latent": 16, "hidden": 32, "filter": 64, "layers": 2, "upsample_channels": 64, "speaker_dim": 32,
    "critics_channels": 64, "segment_frames": 16,
}  # fmt: skip


def takes(rate: int, width: int) -> Dataset:
    """Return a minute of tones with content that means nothing."""
    rng = np.random.default_rng(1)
    examples = []
    for number in range(12):
        frames = 500
        time_s = np.arange(frames * rate // 100) / rate
        sound = 0.3 * np.sin(2 * np.pi * (150 + 20 * number) * time_s) + 0.01 * rng.standard_normal(
            len(time_s)
        )
        f0_hz = np.full(frames, 150.0 + 20 * number, np.float32)
        content = rng.standard_normal((frames // 2, width)).astype(np.float16)
        level = np.full(frames, -13.0, np.float32)
        examples.append(Example(sound.astype(np.float32), f0_hz, level, (content,)))
    silence = rng.standard_normal((400, width)).astype(np.float16)
    return Dataset(examples, sample_rate=rate, clip_frames=100, silence=silence)


def make_trainer(profile, dataset, width, device, *, plain):
    torch = torch_ready()
    from covermaker.training import vits_critics, vits_network, vits_trainer

    lesson = LESSONS["vits"]
    config = lesson.config(profile, profile.vits.sample_rate, width, 1)
    half = not plain and lesson.uses_half(device)
    if not plain:
        return lesson.make(profile, config, dataset, [], device=device, half=half)

    class Plain(vits_trainer.VitsTrainer):
        def _optimiser(self, network):
            return torch.optim.AdamW(
                network.parameters(), lr=1e-4, betas=(0.8, 0.99), eps=1e-9, foreach=False
            )

        def _critics_loss(self, sung, target):
            return vits_critics.critics_loss(self.critics(target), self.critics(sung.detach()))

        def advance(self):
            return super(vits_trainer.VitsTrainer, self).advance()

    weight_norm = torch.nn.utils.parametrizations.weight_norm
    with (
        mock.patch.object(vits_network, "normed", weight_norm),
        mock.patch.object(vits_critics, "normed", weight_norm),
    ):
        trainer = Plain(config, dataset, profile.recipe, shape=profile.vits, device=device)
        trainer.invite_critics()
    return trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="the large network on a CPU, too")
    options = parser.parse_args()

    torch = torch_ready()
    torch.set_num_threads(options.threads)
    device = pick_device("auto")
    profile, width = PROFILES["rvc"], 768
    recipe = replace(profile.recipe, batch_size=options.batch, steps=10**6)
    profile = replace(profile, recipe=recipe)
    if device == "cpu" and not options.full:
        profile, width = replace(profile, vits=replace(profile.vits, **TINY)), 16
    dataset = takes(profile.vits.sample_rate, width)
    trainers = {
        "plain": make_trainer(profile, dataset, width, device, plain=True),
        "ours": make_trainer(profile, dataset, width, device, plain=False),
    }
    drawn = trainers["ours"]._draw()
    for trainer in trainers.values():
        trainer._draw = lambda: drawn
    best = dict.fromkeys(trainers, float("inf"))
    losses = {}
    for number in range(options.rounds + 1):
        for name, trainer in trainers.items():
            matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
            if name == "plain":
                torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
            began = time.perf_counter()
            for _ in range(options.steps if number else 1):
                report = trainer.advance()
                losses.setdefault(name, report.parts)
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn
            if number:  # the first one warms up
                best[name] = min(best[name], (time.perf_counter() - began) / options.steps)
    weights = sum(p.numel() for p in trainers["ours"].network.parameters())
    half = str(trainers["ours"]._dtype).removeprefix("torch.") if trainers["ours"].half else "float32"
    print(f"{weights:,} weights on {device}, batch of {options.batch}, ours in {half}")
    for name, seconds in best.items():
        first = ", ".join(f"{part} {value:.3f}" for part, value in losses[name].items())
        print(f"{name:6} {1 / seconds:7.2f} steps/s   first losses: {first}")
    print(f"ours is {best['plain'] / best['ours']:.2f} times as fast")


if __name__ == "__main__":
    main()
