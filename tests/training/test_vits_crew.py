"""Several processes train one VITS network: two, over gloo, on the CPU, started as a person starts them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "two_vits.py"


def test_two_processes_hold_the_same_weights(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, str(PROGRAM), str(tmp_path)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"found-{rank}.json").read_text()) for rank in (0, 1))
    for half in ("float32", "float16"):
        one, other = first[half], second[half]
        assert one["drew"] != other["drew"]  # each its own batch
        assert one["bits"] == other["bits"]
        assert one["losses"] == other["losses"]
        assert np.isfinite(one["losses"]).all()
        assert one["epoch"] == 1  # eight cuts, two processes that drew two each three times
    assert first["run"] == second["run"] == {"steps": 4, "generators": 2}
