"""The exit code of a command is ours, whatever was interrupted."""

import subprocess
import sys

from covermaker.errors import ExitCode

INTERRUPTED_IN_TEXT = """
from covermaker.cli import main

def interrupted(**_):
    exec("raise KeyboardInterrupt")

main.cli.main = interrupted
main.main()
"""


def test_interrupted_inside_code_that_is_made_of_text(tmp_path):
    """As dataclasses and named tuples are; run as a module, Python would end by the signal."""
    (tmp_path / "interrupted.py").write_text(INTERRUPTED_IN_TEXT)
    command = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == ExitCode.INTERRUPTED
    assert done.stderr.startswith("error: interrupted\n")
