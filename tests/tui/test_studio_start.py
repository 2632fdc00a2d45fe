"""What is loaded when: no Textual for the other commands, no network for the studio; who may open it."""

import subprocess
import sys

import pytest

from covermaker.cli.ui import command as ui
from covermaker.errors import UsageError

HEAVY = {
    "torch",
    "pedalboard",
    "faster_whisper",
    "ctranslate2",
    "demucs",
    "librosa",
    "onnxruntime",
    "textual_serve",
}


def modules_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_the_studio_loads_no_network_and_no_numpy_to_draw():
    loaded = modules_after("import covermaker.tui.app, covermaker.tui.screens.library")
    assert not loaded & {*HEAVY, "numpy", "scipy", "soundfile", "av"}
    assert "textual" in loaded


def test_settings_keys_and_their_commands_load_no_textual():
    loaded = modules_after(
        "import covermaker.cli.config, covermaker.cli.ui, covermaker.tui.settings, covermaker.tui.keymap"
    )
    assert not loaded & {*HEAVY, "textual", "numpy"}


def test_finding_out_states_loads_no_network(tmp_path):
    code = f"""
from pathlib import Path
from covermaker.tui import model
root = Path({str(tmp_path / "library")!r})
model.first_run(root)
for row in model.list_songs(root):
    print(model.state_of(row.folder).word)
"""
    assert not modules_after(code) & HEAVY


def test_no_terminal_is_one_line(tmp_path, monkeypatch):
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    with pytest.raises(UsageError, match="needs a terminal") as refused:
        ui.main(args=[str(tmp_path)], standalone_mode=False)
    assert "covermaker ui --web" in refused.value.hint


def test_a_file_is_no_folder_of_projects(tmp_path):
    (tmp_path / "x.wav").touch()
    with pytest.raises(UsageError, match="is a file"):
        ui.main(args=[str(tmp_path / "x.wav")], standalone_mode=False)
