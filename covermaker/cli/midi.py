"""``covermaker midi``: MIDI controllers for the faders of the studio."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from covermaker.cli.output import json_option, show, words
from covermaker.errors import UsageError

if TYPE_CHECKING:
    from covermaker.play.midi import Control

_POLL_SECONDS = 0.01


@click.group("midi")
def command() -> None:
    """List MIDI ports and watch what a controller sends, to write it under [midi] in the settings."""


@command.command("ports")
@json_option
def ports_(as_json: bool) -> None:
    """List the MIDI input ports of this machine."""
    from covermaker.play.midi import ports

    found = ports()
    show(found, as_json, "\n".join(found) or "no MIDI port: plug the controller in")


@command.command("watch")
@click.argument("port", required=False)
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many moves.")
@click.option("--seconds", type=click.FloatRange(min=0.0), help="Stop after so long.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
def watch(port: str | None, count: int | None, seconds: float | None, as_json: bool) -> None:
    """Print what comes from PORT, by default the one of the settings, until Ctrl-C: the number is the key to write."""
    from covermaker.play.midi import open_port, read
    from covermaker.tui.settings import load_settings

    wanted = load_settings().midi
    name = port or wanted.port
    if not name:
        raise UsageError("no MIDI port is named", hint="covermaker midi ports lists them")
    opened = open_port(name)
    if not as_json:
        words(f"{name}: move a fader or turn a knob; Ctrl-C ends")
    left, until = count, None if seconds is None else time.monotonic() + seconds
    try:
        while (left is None or left > 0) and (until is None or time.monotonic() < until):
            for control in read(opened)[:left]:
                click.echo(_line(control, wanted.controls, as_json=as_json))
                left = None if left is None else left - 1
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        return
    finally:
        opened.close()


def _line(control: Control, controls: dict[str, str], *, as_json: bool) -> str:
    place = controls.get(control.name) or controls.get(str(control.number))
    if as_json:
        row = {"channel": control.channel, "number": control.number, "value": control.value, "place": place}
        return json.dumps(row)
    what = f"  {place}" if place else ""
    return f"{control.number:>3}  (channel {control.channel})  {control.value:>3}{what}"
