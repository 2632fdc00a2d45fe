"""A Ray cluster: reaching it or starting one here, quickly or with a clear word why not."""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from covermaker.errors import CovermakerError, ExitCode, ResourceError, UsageError
from covermaker.jobs.launch import TUNED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from covermaker.batch.engines.base import Sized

LOCAL: Final = "local"
_AUTO: Final = "auto"
_CLIENT: Final = "ray://"
_CLIENT_PORT: Final = 10001

_KNOCK_SECONDS: Final = 3.0
_CONNECT_SECONDS: Final = 10.0
_CLIENT_SECONDS: Final = 60.0  # there a process of ours is started first

# Keys and paths travel, no sounds: Ray's own store of objects may be as small as it can.
_OBJECTS_BYTES: Final = 80 << 20

# Where people say that their things lie: the nodes must look there, too.
_PLACES: Final = tuple(
    f"COVERMAKER_{name}"
    for name in ("VOICES", "MODELS", "WEIGHTS", "PRESETS", "CREDENTIALS", "PLUGIN_SECONDS")
)


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster, as Ray knows it.

    Attributes
    ----------
    id : str
        Ray's own.
    name : str
        What people read; no two have the same.
    resources : dict of str to float
        ``CPU``, ``GPU``, ``memory`` in bytes.
    """

    id: str
    name: str
    alive: bool
    resources: Mapping[str, float] = field(default_factory=dict)


def import_ray() -> Any:
    """Import Ray, quiet and without usage statistics, and return the module.

    Raises
    ------
    UsageError
        When it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "the engine 'ray' needs the package ray", hint="pip install 'covermaker[cluster]'"
        ) from error
    return ray


def connect(address: str, sized: Sized) -> Any:
    """Reach a cluster, or start one on this machine, and return Ray's module.

    Parameters
    ----------
    address : str
        ``"local"``; ``"auto"`` or "" for the cluster that this machine belongs to; ``"host:port"`` of a cluster that it
        belongs to; ``"ray://host:port"`` of any.

    Raises
    ------
    UsageError
        When Ray is not installed, or the address is none.
    ResourceError
        When nobody answers there, within ten seconds, or who answers is another version.
    """
    place = address or _AUTO
    if place.startswith(_CLIENT):
        _bring_token()
    ray = import_ray()
    options: dict[str, Any] = {
        "address": place,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "runtime_env": {"env_vars": _environment()},
    }
    if place == LOCAL:
        options |= {
            "include_dashboard": False,
            "num_cpus": sized.cores,
            "_memory": sized.memory_bytes,
            "object_store_memory": _OBJECTS_BYTES,
            "_node_ip_address": "127.0.0.1",
        }
    elif place != _AUTO:
        _knock(place)
    if place.startswith(_CLIENT):
        options.pop("log_to_driver")
    _hush(ray)
    reach = _start if place == LOCAL else _in_time
    reach(ray, options)
    return ray


def leave(ray: Any, *, is_lost: bool) -> None:
    """Leave a cluster.

    Cut off from its head, Ray neither leaves nor lets the process end: it waits, and then crashes. So the process ends
    with the exit code of what happened as soon as it has nothing more to do.
    """
    if is_lost:
        atexit.register(_end_at_once)
    else:
        ray.shutdown()


def _end_at_once() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(ExitCode.RESOURCE))


def nodes(ray: Any, named: dict[str, str]) -> list[Node]:
    """List the machines of the cluster, those that are gone as well.

    Parameters
    ----------
    named : dict of str to str
        Names by Ray's own; who is new gets one here.
    """
    rows = sorted(ray.nodes(), key=lambda row: (row["NodeName"], row["NodeID"]))
    for row in rows:
        if row["NodeID"] not in named:
            has_name = row["NodeName"] != row["NodeManagerAddress"]
            named[row["NodeID"]] = _new_name(
                row["NodeName" if has_name else "NodeManagerHostname"], set(named.values())
            )
    return [Node(row["NodeID"], named[row["NodeID"]], bool(row["Alive"]), row["Resources"]) for row in rows]


def _new_name(wanted: str, taken: set[str]) -> str:
    numbered = (wanted if number == 1 else f"{wanted} ({number})" for number in itertools.count(1))
    return next(name for name in numbered if name not in taken)


def _environment() -> dict[str, str]:
    told = {name: os.environ[name] for name in _PLACES if os.environ.get(name)}
    return {**TUNED, **told, "RAY_USAGE_STATS_ENABLED": "0"}


def _bring_token() -> None:
    """Let Ray's client show its token, as every other way of connecting does by itself where there is one."""
    told = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    if told or (Path.home() / ".ray" / "auth_token").is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _knock(address: str) -> None:
    """Refuse an address where nobody listens; Ray itself asks for minutes."""
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host and address.startswith(_CLIENT):
        host, port = port, str(_CLIENT_PORT)
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(
            f"'{address}' is no address of a Ray cluster", hint="auto, local, host:6379 or ray://host:10001"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()
    except OSError as error:
        raise _unreachable(address, error.strerror or str(error)) from error


def _start(ray: Any, options: dict[str, Any]) -> None:
    """Let Ray start a cluster: on the thread that asks, as its processes end with the thread that began them."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options)
    except Exception as error:
        raise ResourceError(
            f"no Ray cluster could be started here: {' '.join(str(error).split())[:300]}",
            hint="look into /tmp/ray/session_latest/logs, or use --engine local",
        ) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _in_time(ray: Any, options: dict[str, Any]) -> None:
    """Let Ray connect on a thread: where something else listens at the address, it would wait for minutes."""
    failed: list[BaseException] = []

    def reach() -> None:
        try:
            ray.init(**options)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=reach, name="ray", daemon=True)
    thread.start()
    thread.join(_CLIENT_SECONDS if options["address"].startswith(_CLIENT) else _CONNECT_SECONDS)
    if thread.is_alive():
        raise _unreachable(options["address"], "what listens there does not answer as a Ray cluster does")
    if failed:
        raise _mapped(options["address"], failed[0]) from failed[0]


def _mapped(address: str, error: BaseException) -> CovermakerError:
    said = " ".join(str(error).split())
    if "ersion mismatch" in said or "different python versions" in said:
        return ResourceError(
            f"the Ray cluster at '{address}' is another version: {said[:300]}",
            hint="install the same Python and the same Ray on all nodes and here",
        )
    if "uthentication" in said or type(error).__name__ == "AuthenticationError":
        return ResourceError(
            f"the Ray cluster at '{address}' asks for its token: {said[:300]}",
            hint="RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or ~/.ray/auth_token as on its head; see docs/cluster.md",
        )
    if isinstance(error, ImportError):
        return UsageError(
            f"Ray cannot be used as it is installed: {said}", hint="pip install 'covermaker[cluster]'"
        )
    if address == _AUTO and isinstance(error, ConnectionError):
        return ResourceError(
            "this machine belongs to no Ray cluster that runs",
            hint="start one (ray start --head), or use --address local, host:port or ray://host:10001",
        )
    return _unreachable(address, said[:300])


def _unreachable(address: str, why: str) -> ResourceError:
    return ResourceError(
        f"no Ray cluster answers at '{address}': {why}",
        hint="is it up (ray status there), the port open, the token the same? --address local starts one here",
    )


def _hush(ray: Any) -> None:
    """Keep Ray's words about dead workers off stdout, which belongs to our results; we tell them ourselves."""
    with suppress(AttributeError):
        sys.modules["ray._private.worker"]._worker_logs_enabled = False  # type: ignore[attr-defined]
