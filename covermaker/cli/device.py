"""The option ``--device`` of every command that runs networks."""

from __future__ import annotations

from typing import Any

import click

from covermaker.weights.device import DEVICE_NAMES, checked_device


def _checked(context: click.Context, parameter: click.Parameter, value: Any) -> str:
    return checked_device(value)


device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="DEVICE",
    callback=_checked,
    help=f"Where networks run: {DEVICE_NAMES}.",
)
