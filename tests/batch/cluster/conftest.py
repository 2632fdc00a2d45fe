"""Tests with a Ray cluster, in a network of their own.

Ray binds the machine's outer address where there is one. So the tests of a file that is marked `own_network` run in
another pytest, whose processes see nothing but a loopback device and each other, and which end with it, whatever
becomes of a test. Where the system does not permit that, they are skipped.
"""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from cluster_driving import INSIDE, Cluster

_REPORTS = "COVERMAKER_TESTS_REPORTS"
_SECONDS = 400
_APART = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
# Ray's sockets and the address of a running cluster lie in /tmp/ray: nobody else's are to be seen.
_INSIDE = 'mkdir -p /tmp/ray && mount -t tmpfs none /tmp/ray && ip link set lo up && exec "$@"'

_outcomes = {}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Let the other pytest run a test, and tell what became of it."""
    if INSIDE or pyfuncitem.get_closest_marker("own_network") is None:
        return None
    why_not = _why_not()
    if why_not:
        pytest.skip(why_not)
    if pyfuncitem.path not in _outcomes:
        _outcomes[pyfuncitem.path] = _run(pyfuncitem)
    said, found = _outcomes[pyfuncitem.path]
    outcome, words = found.get(pyfuncitem.nodeid, ("failed", f"it did not run:\n{said}"))
    if outcome == "skipped":
        pytest.skip(words)
    assert outcome == "passed", words
    return True


def pytest_runtest_logreport(report):
    if INSIDE and _REPORTS in os.environ and (report.when == "call" or report.outcome != "passed"):
        with open(os.environ[_REPORTS], "a", encoding="utf-8") as file:
            file.write(json.dumps([report.nodeid, report.outcome, report.longreprtext]) + "\n")


def _why_not():
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return "a network of its own needs the commands unshare and ip"
    tried = subprocess.run([*_APART, "sh", "-c", _INSIDE, "sh", "true"], capture_output=True, text=True)
    return f"no network of its own: {tried.stderr.strip()}" if tried.returncode else ""


def _run(item):
    """Run all tests of a file that were chosen, and return what pytest said, and each one's outcome."""
    place = (
        item.session.config._tmp_path_factory.mktemp("cluster")
        if hasattr(item.session.config, "_tmp_path_factory")
        else None
    )
    reports = place / "reports.jsonl"
    chosen = [one.nodeid for one in item.session.items if one.path == item.path]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--basetemp",
        str(place / "t"),
        *chosen,
    ]
    # Without tokens: Ray would write one into the home of whoever runs the tests.
    environment = {
        **os.environ, "COVERMAKER_TESTS_INSIDE": "1", "RAY_AUTH_MODE": "disabled", _REPORTS: str(reports),
    }  # fmt: skip
    child = subprocess.Popen(
        [*_APART, "sh", "-c", _INSIDE, "sh", *command],
        cwd=item.session.config.rootpath, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = child.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        said = child.communicate()[0] + f"\nended after {_SECONDS} s"
    lines = reports.read_text(encoding="utf-8").splitlines() if reports.exists() else []
    return said[-8000:], {name: (outcome, words) for name, outcome, words in map(json.loads, lines)}


@pytest.fixture(scope="module")
def cluster():
    """Three nodes of one CPU each."""
    if not INSIDE:
        yield None
        return
    made = Cluster()
    try:
        yield made
    finally:
        made.shutdown()
