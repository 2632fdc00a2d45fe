"""Small things that were found out once and cost time to find again, as JSON in the user's cache folder.

Losing them, or not being able to write them, costs that time and nothing else: no error leaves this module.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from covermaker.disk import told_by


def recall(kind: str, name: str) -> dict[str, Any] | None:
    """Return what was remembered under a name, or None."""
    try:
        value = json.loads(_file(kind, name).read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def remember(kind: str, name: str, value: dict[str, Any]) -> None:
    """Keep a value; whoever reads it meanwhile finds the old or the new one, whole."""
    file = _file(kind, name)
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                json.dump(value, opened, ensure_ascii=True)
            os.replace(temporary, file)
        except OSError:
            Path(temporary).unlink(missing_ok=True)


def _file(kind: str, name: str) -> Path:
    from platformdirs import user_cache_dir

    root = told_by("COVERMAKER_CACHE") or Path(user_cache_dir("covermaker"))
    return root / kind / f"{hashlib.sha256(os.fsencode(name)).hexdigest()[:40]}.json"
