"""``covermaker ui``: the terminal studio, here or in a browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from covermaker.errors import UsageError


@click.command("ui")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--web", is_flag=True, help="Serve it to a browser instead of drawing it here.")
@click.option("--host", default="127.0.0.1", show_default=True, help="With --web: the address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="With --web; 0 takes a free one.",
)
@click.option(
    "--public-url", metavar="URL", help="With --web behind a proxy: the address that the browser sees."
)
def command(folder: Path | None, web: bool, host: str, port: int, public_url: str | None) -> int:
    """Open the studio on FOLDER, which holds projects, or on the library of the settings.

    With --web it is served on this machine only, and only to whoever has the printed address with its token; tabs
    get a studio each. Whoever has that address acts with your rights: give it to nobody.
    """
    from covermaker.tui.settings import load_settings, projects_folder

    settings = load_settings()
    root = folder.absolute() if folder else projects_folder(settings)
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file", hint="name the folder of the projects, or a project's folder")
    if web:
        from covermaker.tui.web import serve

        return serve(root, host=host, port=port, public_url=public_url)
    # A browser's terminal is a pipe; its server says so.
    if not os.environ.get("TEXTUAL_DRIVER") and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the studio needs a terminal to draw on",
            hint="every action has a command: covermaker --help; a browser can have it: covermaker ui --web",
        )
    from covermaker.tui.app import run

    return run(root, settings)
