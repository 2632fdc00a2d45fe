"""Plug-ins to test with: some built here from DPF's sources, and those of the package zam-plugins."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock
from platformdirs import user_cache_path

from covermaker.effects.plugins.scan import scan

DPF = Path("/usr/share/dpf/distrho")
ZAM = Path("/usr/lib/vst3")
SOURCE = Path(__file__).with_name("fixture.cpp")

# As the enumeration in fixture.cpp.
KINDS = (
    "Late", "Unsaid", "Tail", "Crash", "CrashAtOnce", "Hang", "HangAtOnce", "Slow", "Mono", "Nan", "Gain", "Keeper",
    "Shifty", "Mover",
)  # fmt: skip

Scanned = Callable[..., None]


def _info(number: int, kind: str) -> str:
    width = 1 if kind == "Mono" else 2
    lines = {
        "NAME": f'"Fixture {kind}"', "URI": f'"urn:covermaker:{kind}"', "CLAP_ID": f'"covermaker.{kind}"',
        "BRAND_ID": "Cvrm", "UNIQUE_ID": f"Cv{number:02d}", "NUM_INPUTS": width, "NUM_OUTPUTS": width,
        "HAS_UI": 0, "IS_RT_SAFE": 1, "WANT_PROGRAMS": 0, "WANT_LATENCY": 1,
        "WANT_STATE": int(kind == "Gain"), "WANT_FULL_STATE": int(kind == "Gain"),
    }  # fmt: skip
    return f"#define KIND {number}\n" + "".join(
        f"#define DISTRHO_PLUGIN_{key} {value}\n" for key, value in lines.items()
    )


def _build(folder: Path, number: int, kind: str) -> None:
    made = folder / f"Fixture {kind}.vst3" / "Contents" / f"{platform.machine()}-linux"
    made.mkdir(parents=True)
    info = folder / "info" / kind
    info.mkdir(parents=True)
    (info / "DistrhoPluginInfo.h").write_text(_info(number, kind))
    subprocess.run(
        ["g++", "-O1", "-shared", "-fPIC", "-std=c++17", "-w", "-DDISTRHO_PLUGIN_TARGET_VST3", "-include",
         str(info / "DistrhoPluginInfo.h"), f"-I{info}", f"-I{DPF}", str(DPF / "DistrhoPluginMain.cpp"), str(SOURCE),
         "-o", str(made / f"Fixture {kind}.so")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def built() -> Path:
    """Return a folder with a bundle for each of KINDS, built once for all who have this source."""
    if not DPF.is_dir():
        pytest.skip("needs the package dpf-source")
    if shutil.which("g++") is None:
        pytest.skip("needs a C++ compiler: the package g++")
    wanted = hashlib.sha256(SOURCE.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    folder = user_cache_path("covermaker-tests") / f"plugins-{wanted}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda one: _build(folder, *one), enumerate(KINDS, start=1)))
            (folder / "whole").touch()
    return folder


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a catalogue of its own and no plug-ins but those that it names."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("VST3_PATH", raising=False)
    monkeypatch.setattr("covermaker.effects.plugins.places._STANDARD", ())
    return tmp_path / "cache"


@pytest.fixture
def fixtures(built: Path, own_cache: Path) -> Scanned:
    """Return what scans some of the built plug-ins."""

    def scanned(*kinds: str, **options: object) -> None:
        scan([built / f"Fixture {kind}.vst3" for kind in kinds], **options)  # type: ignore[arg-type]

    return scanned


@pytest.fixture
def zam(own_cache: Path) -> Scanned:
    """Return what scans some of the plug-ins of zam-plugins."""
    if not (ZAM / "ZamCompX2.vst3").exists():
        pytest.skip("needs the package zam-plugins")

    def scanned(*names: str) -> None:
        scan([ZAM / f"{name}.vst3" for name in names])

    return scanned
