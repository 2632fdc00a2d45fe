"""What `test_vits_crew` lets two processes do together, under torchrun; each writes what it found to a file."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import torch
from tiny_vits import profile, run_tiny_vits, trainer

from covermaker.training.checkpoint import load_latest
from covermaker.training.crew import Crew, Several
from covermaker.voices.voice import Voice


def bits(tensors: dict[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


def same_weights(crew: Crew, half: str) -> dict[str, Any]:
    learning = trainer(profile(half=half, steps=9), half=half != "off", crew=crew, seed=3)
    drawn = learning._draw()
    reports = [learning.advance() for _ in range(3)]
    tensors = learning.checkpoint(learning.random_states()).tensors
    return {
        "drew": float(abs(drawn.sound).sum()),
        "bits": bits(tensors),
        "losses": [report.loss for report in reports],
        "epoch": learning.epoch,
    }


def whole_run(crew: Crew, folder: Path) -> dict[str, Any]:
    done = run_tiny_vits(folder / "voice", profile(steps=4, saves=2), crew=crew)
    checkpoint = load_latest(folder / "voice" / "training" / "checkpoints")
    assert checkpoint is not None
    Voice.open(folder / "voice").verify()
    return {"steps": done["steps"], "generators": 1 + len(checkpoint.state["other_rngs"])}


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    crew = Several("cpu")
    found = {
        "float32": same_weights(crew, "off"),
        "float16": same_weights(crew, "float16"),
        "run": whole_run(crew, folder),
    }
    (folder / f"found-{crew.rank}.json").write_text(json.dumps(found))
    crew.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
