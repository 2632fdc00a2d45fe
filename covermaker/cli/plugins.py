"""``covermaker plugins``: the VST3 plug-ins of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from covermaker.cli.output import is_plain, json_option, near, show, table, words
from covermaker.cli.stopping import stoppable
from covermaker.documents.document import PlaceError
from covermaker.effects.plugins import catalogue as known
from covermaker.effects.plugins.failures import failures
from covermaker.effects.plugins.scan import PROBE_SECONDS, scan
from covermaker.effects.rack import parse_value
from covermaker.effects.spec import value_words
from covermaker.effects.typed import typed_as
from covermaker.errors import UsageError, nearest

if TYPE_CHECKING:
    from covermaker.effects.plugins.catalogue import Bundle, Found
    from covermaker.effects.plugins.scan import Looked
    from covermaker.effects.spec import Spec, Value

_WIDTHS = {(1,): "mono", (2,): "stereo", (1, 2): "mono, stereo"}


@click.group("plugins")
def command() -> None:
    """Find, list and show VST3 plug-ins; each is looked at, and runs, in a process of its own.

    They are looked for in the folders of VST3_PATH, in ~/.vst3, /usr/local/lib/vst3 and /usr/lib/vst3.
    """


@command.command("scan")
@click.argument("places", nargs=-1, metavar="[PLACE]...", type=click.Path(path_type=Path))
@click.option("--again", is_flag=True, help="Also those that are known, are blocked or have failed at work.")
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(min=1.0, max=3600.0),
    default=PROBE_SECONDS,
    show_default=True,
    help="Seconds that one may take; it is blocked then.",
)
@json_option
def scan_(places: tuple[Path, ...], again: bool, seconds: float, as_json: bool) -> None:
    """Look at new and changed plug-ins; PLACE is a folder or a bundle beside the usual folders, and is remembered.

    One that crashes or hangs is blocked until it changes, or until it is asked for with --again. A scan that is stopped
    goes on where it was.
    """
    rows: list[dict[str, Any]] = []

    def tell(looked: Looked) -> None:
        bundle = looked.bundle
        rows.append({**_bundle(bundle), "known": looked.known})
        if not as_json and (not looked.known or is_plain()):
            words(f"{looked.number} of {looked.total}: {bundle.name}: {_became(bundle, looked.known)}")

    with stoppable():
        found = scan(
            [place.expanduser().absolute() for place in places], again=again, seconds=seconds, listener=tell
        )
    count, blocked = len(found.found()), len(found.blocked())
    text = f"{count} plug-in{'s' * (count != 1)}, {blocked} blocked: covermaker plugins list"
    if not found.bundles:
        text = "no plug-ins: name the folder that they are in, as in covermaker plugins scan FOLDER"
    show(rows, as_json, text)


def _became(bundle: Bundle, known: bool) -> str:
    if bundle.problem:
        return f"blocked: {bundle.problem}"
    names = ", ".join(plugin.name for plugin in bundle.plugins)
    if known:
        return "known"
    return f"{bundle.seconds:.1f} s" + (f", {names}" if names != bundle.name else "")


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the plug-ins that a rack can hold, those that are blocked, and those that failed at work, with why."""
    found = known.catalogue()
    usable = found.found()
    rows = [
        (
            one.plugin.name,
            _widths(one),
            one.plugin.version,
            one.plugin.vendor,
            near(str(one.bundle.path.parent)),
        )
        for one in usable
    ]
    unusable = [
        (plugin.name, plugin.problem)
        for bundle in found.bundles
        for plugin in bundle.plugins
        if plugin.problem
    ]
    blocked = [(bundle.name, bundle.problem) for bundle in found.blocked()] + unusable
    value = {
        "plugins": [_plugin(one) for one in usable],
        "blocked": [_bundle(bundle) for bundle in found.blocked()],
        "unusable": [{"name": name, "problem": problem} for name, problem in unusable],
        "failed": [{"name": one.plugin, "problem": one.words} for one in failures().values()],
    }
    parts = [table(rows, header=("plug-in", "takes", "version", "vendor", "folder"))] if rows else []
    if blocked:
        parts.append(table(blocked, header=("blocked", "why")))
    if failed := sorted({(one.plugin, one.words) for one in failures().values()}):
        parts.append(table(failed, header=("failed at work", "with some settings, which are left out since")))
    show(value, as_json, "\n\n".join(parts) or "none is known: covermaker plugins scan")


@command.command("show")
@click.argument("name")
@json_option
def show_(name: str, as_json: bool) -> None:
    """Show the parameters of the plug-in NAME: range, unit, default, and the row that puts it into a rack."""
    found = _find(name)
    plugin, specs = found.plugin, [one.spec() for one in found.plugin.parameters]
    cells = [
        (spec.name, spec.allowed, value_words(spec.default), spec.help.removesuffix(".")) for spec in specs
    ]
    late = f", {plugin.latency_samples} samples late" if plugin.latency_samples else ""
    lines = [
        f"{plugin.name} {plugin.version} by {plugin.vendor}: {_widths(found)}{late}",
        str(found.bundle.path),
        "",
    ]
    if specs:
        lines += [table(cells, header=("parameter", "allowed", "default", "what it calls it")), ""]
        lines.append(_row(plugin.name, {specs[0].name: specs[0].default}, ""))
    else:
        lines.append(_row(plugin.name, {}, ""))
    value = {**_plugin(found), "parameters": [_parameter(spec) for spec in specs]}
    show(value, as_json, "\n".join(lines))


@command.command("row")
@click.argument("name")
@click.argument("values", nargs=-1, metavar="[PARAMETER=VALUE]...")
@click.option(
    "--preset", type=click.Path(path_type=Path, dir_okay=False), help="A .vstpreset file to begin with."
)
@json_option
def row(name: str, values: tuple[str, ...], preset: Path | None, as_json: bool) -> None:
    """Run the plug-in NAME with some values and print its row for a rack, its state included."""
    from covermaker.effects.plugins.host import Host, Wanted

    found = _find(name)
    if preset is not None and not preset.is_file():
        raise UsageError(f"there is no file {preset}")
    given = _values(found, values)
    by_name = {one.name: one for one in found.plugin.parameters}
    host = Host(
        Wanted(
            found.bundle.path, name, "", "", {by_name[key].index: value for key, value in given.items()},
            found.bundle.seconds, None if preset is None else preset.absolute(),
            tuple(one.index for one in found.plugin.parameters),
        ),
        44100,
        2,
    )  # fmt: skip
    became = {
        one.name: _tidy(host.values[one.index])
        for one in found.plugin.parameters
        if one.name in given or _tidy(host.values[one.index]) != _tidy(one.default)
    }
    value = {"effect": "vst3", "plugin": name, "parameters": became, "state": host.state}
    show(value, as_json, _row(name, became, host.state))


def _values(found: Found, texts: tuple[str, ...]) -> dict[str, Value]:
    specs = {one.name: one.spec() for one in found.plugin.parameters}
    given: dict[str, Value] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"'{text}' is no value", hint="write it as in threshold_db=-20")
        if name not in specs:
            raise UsageError(f"{found.plugin.name} has no parameter '{name}'", hint=nearest(name, specs))
        try:
            read = typed_as(specs[name], value)
            given[name] = parse_value(value if read is None else read, specs[name], name)
        except PlaceError as error:
            raise UsageError(error.message, hint=error.hint) from error
    return given


def _tidy(value: Value) -> Value:
    """Leave out the last digits of a number, which a plug-in's own way of counting has put there."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _row(name: str, parameters: dict[str, Value], state: str) -> str:
    import tomlkit

    made = tomlkit.inline_table()
    made.update({"effect": "vst3", "plugin": name})
    if parameters:
        inner = tomlkit.inline_table()
        inner.update(parameters)
        made.append("parameters", inner)
    if state:
        made.append("state", state)
    return made.as_string()


def _find(name: str) -> Found:
    found = known.catalogue()
    one = found.find(name)
    if one is not None:
        return one
    problems = {bundle.name: f"is blocked, it {bundle.problem}" for bundle in found.blocked()}
    problems |= {
        plugin.name: plugin.problem for bundle in found.bundles for plugin in bundle.plugins if plugin.problem
    }
    if name in problems:
        raise UsageError(
            f"plug-in '{name}' cannot be used: {problems[name]}", hint="covermaker plugins scan --again"
        )
    names = [one.plugin.name for one in found.found()]
    hint = nearest(name, names) if names else "look for plug-ins: covermaker plugins scan"
    raise UsageError(f"no plug-in '{name}' is known", hint=hint)


def _widths(found: Found) -> str:
    return _WIDTHS.get(found.plugin.channels, "")


def _bundle(bundle: Bundle) -> dict[str, Any]:
    return {
        "name": bundle.name,
        "file": str(bundle.path),
        "plugins": [plugin.name for plugin in bundle.plugins],
        "seconds": bundle.seconds,
        "problem": bundle.problem,
    }


def _plugin(found: Found) -> dict[str, Any]:
    plugin = found.plugin
    return {
        "name": plugin.name,
        "vendor": plugin.vendor,
        "version": plugin.version,
        "category": plugin.category,
        "channels": list(plugin.channels),
        "latency_samples": plugin.latency_samples,
        "file": str(found.bundle.path),
        "sha256": found.bundle.sha256,
    }


def _parameter(spec: Spec) -> dict[str, Any]:
    ranged = not spec.choices and not isinstance(spec.default, (bool, str))
    return {
        "name": spec.name,
        "title": spec.help.removesuffix("."),
        "unit": spec.unit,
        "minimum": spec.minimum if ranged else None,
        "maximum": spec.maximum if ranged else None,
        "choices": list(spec.choices),
        "default": spec.default,
    }
