"""Takes of tests: sung tones with known pauses, and speech of flite where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import soundfile

from covermaker.takes import pool
from covermaker.takes.create import new_takes

TEXT = (
    "The rain in spring falls softly on the old tin roof above the garden. She sells the brightest shells along the "
    "sunny northern shore each day. We will go home before the night grows cold and dark around the harbour. "
)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Work without a pool unless a test asks for one: what is monkeypatched stays here, networks load once."""
    monkeypatch.setattr(pool, "LEAST_BYTES", 10**8)


@pytest.fixture
def make_takes(tmp_path):
    """Make a voice folder of arrays: make_takes({"a.wav": samples}, rate=…, **options of new_takes)."""

    def make(files, *, rate=16000, **options):
        source = tmp_path / "recorded"
        source.mkdir(exist_ok=True)
        for name, samples in files.items():
            soundfile.write(
                source / name, samples, rate, **({"subtype": "FLOAT"} if name.endswith("wav") else {})
            )
        options = {"rights": "synthetic", "least_seconds": 1.0, **options}
        folder = tmp_path / "library" / "anna"
        new_takes(folder, "anna", [source / name for name in files], **options)
        return folder

    return make


@pytest.fixture(scope="session")
def say(tmp_path_factory):
    """Return speech of a flite voice at 16 kHz: say("slt") -> float array."""
    flite = shutil.which("flite")
    if flite is None:
        pytest.skip("flite is not installed (Debian package flite)")
    folder = tmp_path_factory.mktemp("flite")
    made = {}

    def speak(voice, text=TEXT):
        if (voice, text) not in made:
            path = folder / f"{voice}-{len(made)}.wav"
            subprocess.run([flite, "-voice", voice, "-t", text, "-o", str(path)], check=True)
            made[voice, text] = soundfile.read(path)[0]
        return made[voice, text]

    return speak
