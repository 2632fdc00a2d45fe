"""How long after a key the changed sound is there, on a loop of the rack that plays without a device.

    python benchmarks/bench_heard.py [--changes 30]

The demo project is rendered into a store of its own, then opened in the studio's Rack; every key changes a parameter
of the first effect of the vocal's rack, behind which all of it is made anew, then of the last one. Prints the seconds
from the key to the file of the loop being loaded, median, 95th percentile and worst, and how much of that the preview
process worked.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from songs import covermaker

DEMO = Path(__file__).parent.parent / "projects" / "demo"


async def measure(root: Path, changes: int) -> dict[str, tuple[list[float], list[float]]]:
    """Return, of the first and the last effect, the seconds from each key to the loaded file and of the preview."""
    from covermaker.play.messages import Loaded, Message
    from covermaker.tui.app import Studio
    from covermaker.tui.rack_sound import RackSound
    from covermaker.tui.settings import Settings

    loaded: list[float] = []
    heard = RackSound._heard

    def listen(sound: RackSound, message: Message) -> None:
        if isinstance(message, Loaded):
            loaded.append(time.perf_counter())
        heard(sound, message)

    RackSound._heard = listen  # type: ignore[method-assign]
    app = Studio(root, Settings(audio_device="none"))
    found: dict[str, tuple[list[float], list[float]]] = {}
    async with app.run_test(size=(120, 40)) as pilot:
        app.project = root / DEMO.name
        await pilot.press("3")
        while not (app.screen.sound and app.screen.sound.made):
            await pilot.pause(0.01)
        await pilot.press("space")
        while not app.screen.sound.player.playing:
            await pilot.pause(0.01)
        for name, keys in (("first", ("home", "tab")), ("last", ("shift+tab", "end", "tab"))):
            await pilot.press(*keys)
            await pilot.pause(1.0)
            took, worked = found[name] = ([], [])
            for number in range(changes):
                before, began = len(loaded), time.perf_counter()
                await pilot.press("-" if number % 2 else "=")
                while len(loaded) == before:
                    await asyncio.sleep(0.002)
                took.append(loaded[-1] - began)
                worked.append(app.screen.sound.made.took_seconds)
                await pilot.pause(0.5)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", type=int, default=30)
    wished = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, store = Path(folder) / "songs", str(Path(folder) / "store")
        shutil.copytree(DEMO, root / DEMO.name, ignore=shutil.ignore_patterns("out", ".covermaker"))
        os.environ.update(COVERMAKER_STORE=store, COVERMAKER_CONFIG=str(Path(folder) / "config.toml"))
        subprocess.run(
            covermaker("render", str(root / DEMO.name), "--store", store), check=True, capture_output=True
        )
        found = asyncio.run(measure(root, wished.changes))
    for name, (took, worked) in found.items():
        took.sort()
        print(
            f"{name} effect, {len(took)} changes: median {statistics.median(took):.3f} s, "
            f"95th percentile {took[int(0.95 * (len(took) - 1))]:.3f} s, worst {took[-1]:.3f} s; "
            f"the preview worked {statistics.median(worked):.3f} s"
        )


if __name__ == "__main__":
    main()
