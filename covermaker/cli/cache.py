"""``covermaker cache``: the store of finished steps."""

from __future__ import annotations

import re
from pathlib import Path

import click

from covermaker.cli.output import json_option, show, table
from covermaker.errors import UsageError
from covermaker.graph.store import Store, default_root
from covermaker.units import human_bytes

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", re.IGNORECASE)
_FACTOR = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}

store_option = click.option(
    "--store", type=click.Path(path_type=Path), help="Store to use instead of the user's cache folder."
)


def open_store(place: Path | None) -> Store:
    """Return the store at `place`, or the default one."""
    return Store(place or default_root())


def parse_size(text: str) -> int:
    """Read ``20GB``, ``500 MB`` or plain bytes."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"'{text}' is no size", hint="write it as 20GB or 500MB")
    return int(float(match[1]) * _FACTOR[match[2].lower()])


@click.group("cache")
def command() -> None:
    """Show and shrink the store of finished steps."""


@command.command("stats")
@store_option
@json_option
def stats(store: Path | None, as_json: bool) -> None:
    """Show how much the store holds, by kind of step."""
    where = open_store(store)
    kinds: dict[str, list[int]] = {}
    for entry in where.entries():
        kinds.setdefault(str(entry.meta["step"]), []).append(entry.bytes)
    total = sum(map(sum, kinds.values()))
    rows = [
        (kind, str(len(sizes)), human_bytes(sum(sizes)))
        for kind, sizes in sorted(kinds.items(), key=lambda item: -sum(item[1]))
    ]
    rows.append(("all", str(sum(map(len, kinds.values()))), human_bytes(total)))
    value = {
        "store": str(where.root),
        "bytes": total,
        "steps": {kind: {"count": len(sizes), "bytes": sum(sizes)} for kind, sizes in kinds.items()},
    }
    show(value, as_json, f"{where.root}\n\n" + table(rows, header=("step", "results", "size")))


@command.command("gc")
@click.option(
    "--max-size", required=True, help="How much may stay, as 20GB; the least recently used go first."
)
@store_option
@json_option
def gc(max_size: str, store: Path | None, as_json: bool) -> None:
    """Remove the least recently used results; what running renders use is spared."""
    where = open_store(store)
    steps, freed = where.collect(parse_size(max_size))
    left = sum(entry.bytes for entry in where.entries())
    text = f"removed {steps} results ({human_bytes(freed)}), {human_bytes(left)} stay"
    show({"removed": steps, "freed_bytes": freed, "bytes": left}, as_json, text)
