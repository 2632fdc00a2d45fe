"""What each step of a cover takes: seconds of one core, memory, bytes read and written, for songs of some lengths.

python benchmarks/bench_steps.py --minutes 1 3 6 --cores 1

Networks are warm, as in a worker that has rendered a song before. Seconds are CPU seconds, so that a busy machine does
not count; memory is the peak of a process that makes the step alone, from its start.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from songs import covermaker, long_song

_WARM, _ALONE = "warm", "alone"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 3.0, 6.0])
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--separator", default="spleeter")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        what, request = arguments.child
        print(json.dumps(_CHILDREN[what](json.loads(request))))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measured(Path(folder), minutes, arguments.cores, arguments.separator)
            for minutes in arguments.minutes
        ]
    for minutes, steps in zip(arguments.minutes, rows, strict=True):
        print(f"\n{minutes:g} min, {arguments.cores} cores")
        print(
            f"{'step':14} {'CPU s':>8} {'s/min':>7} {'wall s':>8} {'peak MB':>8} {'read MB':>8} {'made MB':>8}"
        )
        for name, one in [*steps.items(), ("all", _all(steps))]:
            print(
                f"{name:14} {one['cpu']:8.2f} {one['cpu'] / minutes:7.2f} {one['wall']:8.2f}"
                f" {one['peak'] / 1e6:8.0f} {one['read'] / 1e6:8.1f} {one['made'] / 1e6:8.1f}"
            )


def measured(folder: Path, minutes: float, cores: int, separator: str) -> dict[str, dict[str, float]]:
    """Return what each kind of step takes."""
    environment = {**os.environ, "COVERMAKER_CORES": str(cores), "OMP_NUM_THREADS": str(cores)}
    projects = []
    for name, seconds in (("short", 12.0), (f"{minutes:g}", 60.0 * minutes)):
        song = long_song(folder / f"{name}.wav", seconds)
        project = folder / f"project {name}"
        if not project.exists():
            new = covermaker("new", str(song), "--folder", str(project), "--separator", separator)
            subprocess.run(new, check=True, capture_output=True)
        projects.append(str(project))
    request = {"projects": projects, "store": str(folder / f"store {minutes:g}")}
    steps = _child(_WARM, request, environment)
    for one in steps.values():
        alone = {"project": projects[1], "store": request["store"], "key": one.pop("key")}
        one["peak"] = _child(_ALONE, alone, environment)
    return steps


def _child(what: str, request: dict[str, Any], environment: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, __file__, "--child", what, json.dumps(request)],
        check=True, stdout=subprocess.PIPE, env=environment, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _warm(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Render a short song and then the long one, and tell of that."""
    from covermaker.graph.events import StepFinished, StepStarted
    from covermaker.graph.run import in_order
    from covermaker.graph.step import From
    from covermaker.graph.store import Store
    from covermaker.render.tasks import render, river_of
    from covermaker.weights.warm import kept

    began: dict[str, tuple[float, float]] = {}
    took: dict[str, tuple[float, float]] = {}

    def hear(event: Any) -> None:
        now = time.process_time(), time.monotonic()
        if isinstance(event, StepStarted):
            began[event.key] = now
        elif isinstance(event, StepFinished):
            took[event.key] = now[0] - began[event.key][0], now[1] - began[event.key][1]

    store = Store(Path(request["store"]))
    wanted = {"store": request["store"], "score": True}
    with kept():
        for project in request["projects"]:
            render({**wanted, "project": project}, hear)
    _, targets, _ = river_of({**wanted, "project": request["projects"][1]})
    found = {}
    for step in in_order(targets):
        if step.key not in took:
            continue
        entry = store.get(step.key)
        assert entry is not None
        read = 0
        for source in step.inputs.values():
            if isinstance(source, From):
                made = store.get(source.step.key)
                assert made is not None
                read += made.meta["files"][source.file]["bytes"]
            else:
                read += source.path.stat().st_size
        cpu, wall = took[step.key]
        found[step.kind] = {"key": step.key, "cpu": cpu, "wall": wall, "read": read, "made": entry.bytes}
    return found


def _alone(request: dict[str, Any]) -> int:
    """Make one step anew and return the peak of memory, in bytes."""
    from covermaker.graph.events import nobody
    from covermaker.graph.store import Store
    from covermaker.render.stepwise import make

    Store(Path(request["store"])).drop(request["key"])
    make({"project": request["project"], "store": request["store"], "score": True}, request["key"], nobody)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _all(steps: dict[str, dict[str, float]]) -> dict[str, float]:
    sums = {name: sum(one[name] for one in steps.values()) for name in ("cpu", "wall", "read", "made")}
    return {**sums, "peak": max(one["peak"] for one in steps.values())}


_CHILDREN = {_WARM: _warm, _ALONE: _alone}

if __name__ == "__main__":
    main()
