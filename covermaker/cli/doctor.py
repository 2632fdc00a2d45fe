"""``covermaker doctor``: what this machine can do, stage by stage."""

from __future__ import annotations

import click

from covermaker.cli.device import device_option
from covermaker.cli.output import json_option, show, table, words
from covermaker.errors import ResourceError
from covermaker.render.doctor import examine


@click.command("doctor")
@device_option
@json_option
def command(device: str, as_json: bool) -> None:
    """Say for each stage which device and weights it will really use; fails when the main job cannot run."""
    if not as_json:
        words("trying every package and network, some ten seconds …")
    findings = examine(device)
    rows = [
        (one.stage, "ok" if one.ok else "FAILS" if one.needed else "missing", one.device or "", one.detail)
        for one in findings
    ]
    values = [
        {
            "stage": one.stage,
            "ok": one.ok,
            "needed": one.needed,
            "device": one.device,
            "detail": one.detail,
        }
        for one in findings
    ]
    show(values, as_json, table(rows, header=("stage", "state", "device", "detail")))
    broken = [one for one in findings if one.needed and not one.ok]
    if broken:
        raise ResourceError(
            f"the main job cannot run: {broken[0].stage}: {broken[0].detail}", hint=broken[0].hint
        )
