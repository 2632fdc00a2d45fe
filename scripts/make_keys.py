"""Write docs/keys.md from the table of actions.

python scripts/make_keys.py          write the page
python scripts/make_keys.py --check  fail when it is not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

from covermaker.tui.keymap import page

PAGE = Path(__file__).resolve().parent.parent / "docs" / "keys.md"


def main() -> int:
    """Write or check the page."""
    is_stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page()
    if "--check" in sys.argv:
        if is_stale:
            print("docs/keys.md is not up to date: run python scripts/make_keys.py")
        return int(is_stale)
    if is_stale:
        PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
