"""Scanning: each bundle is looked at in a process of its own, within a time; what crashes or hangs is blocked."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from covermaker.disk import file_sha256
from covermaker.effects.plugins import catalogue, failures
from covermaker.effects.plugins.catalogue import Bundle, Plugin
from covermaker.effects.plugins.places import binary_of, bundles, folders, log_of, stamp_of
from covermaker.effects.plugins.printed import Printed
from covermaker.effects.plugins.process import COMMAND, ended, last_words
from covermaker.errors import AudioInputError, CovermakerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PROBE_SECONDS: Final = 60.0
# A probe that its parent has lost ends itself, somewhat later than its parent would have ended it.
_LONGER: Final = 1.5


@dataclass(frozen=True, slots=True)
class Looked:
    """What a scan says of one bundle: how it is, and whether that was known already."""

    bundle: Bundle
    known: bool
    number: int
    total: int


def scan(
    places: Sequence[Path] = (),
    *,
    again: bool = False,
    seconds: float = PROBE_SECONDS,
    listener: Callable[[Looked], None] = lambda looked: None,
) -> catalogue.Catalogue:
    """Look at all plug-ins that are new or have changed.

    Each is kept as soon as it is known: a scan that is stopped goes on where it was.

    Parameters
    ----------
    places : sequence of Path
        Folders or bundles beside the usual folders. What was found in them stays known as long as it is there.
    again : bool
        Look at those that are known too, at blocked ones as well, and forget which ones failed at work.
    seconds : float
        Within which a bundle must have been looked at.
    listener : callable
        Told of each bundle as it is known.

    Raises
    ------
    UsageError
        When there is no such place.
    """
    for place in places:
        if not place.exists():
            raise UsageError(f"there is no {place}", hint="name a folder with .vst3 bundles, or a bundle")
    if again:
        failures.forget()
    before = {bundle.path: bundle for bundle in catalogue.catalogue().bundles}
    usual = bundles(folders())
    other = [path for path in bundles(places) if path not in usual]
    kept = [path for path in before if path not in usual and path not in other and path.exists()]
    wanted = [*usual, *other, *kept]
    done: dict[Path, Bundle] = {}
    if not wanted and before:
        catalogue.write(())
    for number, path in enumerate(wanted, start=1):
        was = before.get(path)
        known = was is not None and not again and not was.changed()
        done[path] = was if was is not None and known else look(path, seconds)
        rest = [before[other] for other in wanted[number:] if other in before]
        if not known or number == len(wanted):
            catalogue.write([*done.values(), *rest])
        listener(Looked(done[path], known, number, len(wanted)))
    return catalogue.catalogue()


def look(path: Path, seconds: float) -> Bundle:
    """Look at one bundle in a process of its own."""
    binary = binary_of(path)
    if binary is None:
        return Bundle(path, None, "", 0.0, problem="holds no program for this machine")
    stamp = stamp_of(binary)
    try:
        sha256 = file_sha256(binary)
    except CovermakerError as error:
        return Bundle(path, stamp, "", 0.0, problem=error.message)
    began = time.monotonic()
    try:
        plugins, problem = _probed(path, seconds), ""
    except AudioInputError as error:
        plugins, problem = (), error.message
    return Bundle(path, stamp, sha256, round(time.monotonic() - began, 2), plugins, problem)


def _probed(path: Path, seconds: float) -> tuple[Plugin, ...]:
    """Return what a bundle holds.

    Raises
    ------
    AudioInputError
        When it cannot be used, with why.
    """
    with _printing() as (errors, printed):
        command = [*COMMAND, "covermaker.effects.plugins.probe", str(path), str(seconds * _LONGER)]
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and code
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AudioInputError(f"gave no answer within {seconds:g} s{_words(path, printed)}") from error
        if done.returncode != 0:
            raise AudioInputError(f"{ended(done.returncode)} when it was loaded{_words(path, printed)}")
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise AudioInputError(f"cannot be loaded: {answer['error']}")
        return tuple(Plugin.from_json(one) for one in answer["plugins"])


@contextmanager
def _printing() -> Iterator[tuple[int, Printed]]:
    """Give a pipe to write into, and what is written into it."""
    said, saying = os.pipe()
    printed = Printed(said)
    try:
        yield saying, printed
    finally:
        os.close(saying)
        printed.close()


def _words(path: Path, printed: Printed) -> str:
    written = printed.last()
    failures.keep_log(log_of(path.stem), written)
    return last_words(written)
