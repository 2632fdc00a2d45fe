"""The user's own editor on a text file. Imports no Textual, so that the commands use it too."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from covermaker.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def edit_file(file: Path) -> None:
    """Open a file in the editor that VISUAL or EDITOR names, and wait for its end.

    Raises
    ------
    UsageError
        When there is no such program, or it ends with an error.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=True)  # noqa: S603 - the user's own editor
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no editor '{editor}'", hint=f"set EDITOR, or open {file} yourself"
        ) from error
    except subprocess.CalledProcessError as error:
        raise UsageError(f"{editor} ended with exit status {error.returncode}; the file is {file}") from error
