"""``covermaker config``: the studio's settings."""

from __future__ import annotations

import click

from covermaker.cli.output import json_option, show, table


@click.group("config")
def command() -> None:
    """Show and change the settings of the studio."""


@command.command("show")
@json_option
def show_(as_json: bool) -> None:
    """Show every setting as it is in force."""
    from covermaker.tui.settings import Settings, config_file, load_settings

    file = config_file()
    settings = load_settings(file)
    values = settings.model_dump(mode="json")
    default = Settings().model_dump(mode="json")
    rows = [
        (
            name,
            _words(value),
            "" if value == default[name] else "set",
            Settings.model_fields[name].description or "",
        )
        for name, value in values.items()
    ]
    where = f"{file}" + ("" if file.exists() else "  (not there yet: covermaker config edit makes it)")
    show(
        {"file": str(file), **values},
        as_json,
        f"{where}\n\n" + table(rows, header=("key", "value", "", "what it is")),
    )


@command.command("path")
def path() -> None:
    """Print where the settings file is."""
    from covermaker.tui.settings import config_file

    click.echo(str(config_file()))


@command.command("edit")
def edit() -> None:
    """Open the settings file in your editor (VISUAL, EDITOR); the first time it holds every key with its default."""
    from covermaker.disk import write_text
    from covermaker.tui.editor import edit_file
    from covermaker.tui.keymap import customised
    from covermaker.tui.settings import config_file, load_settings, template

    file = config_file()
    if not file.exists():
        write_text(file, template())
    edit_file(file)
    _, problems = customised(load_settings(file).keymap)
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {key}" for name, key in value.items())
    return str(value)
