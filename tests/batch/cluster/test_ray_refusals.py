"""Clusters that cannot be used say so, quickly, and what to do."""

import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cluster_driving import Cluster, engine_at

from covermaker.batch.engines import ray_cluster, ray_sharing
from covermaker.errors import ResourceError, UsageError


def opened(tmp_path, address, **more):
    engine = engine_at(address, tmp_path / "out", tmp_path / "store", **more)
    try:
        engine.open()
    finally:
        engine.close()


def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_nobody_listens(tmp_path, scheme):
    began = time.monotonic()
    address = f"{scheme}127.0.0.1:{closed_port()}"
    with pytest.raises(
        ResourceError, match=f"no Ray cluster answers at '{address}': Connection refused"
    ) as refused:
        opened(tmp_path, address)
    assert "--address local" in refused.value.hint
    assert time.monotonic() - began < 10.0


def test_a_name_that_nobody_has(tmp_path):
    with pytest.raises(ResourceError, match=r"no Ray cluster answers at 'ray://no\.such\.invalid': "):
        opened(tmp_path, "ray://no.such.invalid")


@pytest.mark.parametrize("address", ["somewhere", "host:", "host:port", ":6379", "host:99999", "ray://"])
def test_what_is_no_address(tmp_path, address):
    with pytest.raises(UsageError, match="is no address of a Ray cluster") as refused:
        opened(tmp_path, address)
    assert refused.value.hint == "auto, local, host:6379 or ray://host:10001"


def test_ray_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="the engine 'ray' needs the package ray") as refused:
        opened(tmp_path, "auto")
    assert refused.value.hint == "pip install 'covermaker[cluster]'"


def test_a_gpu_of_one_machine_is_none_of_a_cluster(tmp_path):
    with pytest.raises(UsageError, match="--device cuda:1 is a GPU of one machine"):
        opened(tmp_path, "auto", device="cuda:1")


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (RuntimeError("Version mismatch: the cluster has Ray 2.9"), ResourceError, "is another version"),
        (ImportError("Ray client requires grpcio"), UsageError, "as it is installed"),
        (
            ConnectionError("Could not find any running Ray instance"),
            ResourceError,
            "belongs to no Ray cluster",
        ),
    ],
)
def test_what_ray_says_is_said_in_our_words(said, kind, words):
    error = ray_cluster._mapped("auto", said)
    assert type(error) is kind
    assert words in error.message
    assert error.hint


@pytest.mark.own_network
@pytest.mark.slow
def test_what_listens_there_is_no_cluster(tmp_path):
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # In a process of its own: Ray goes on to ask until it ends the process that it is in.
    program = (
        "import sys; from pathlib import Path; from cluster_driving import engine_at\n"
        "from covermaker.batch.engines import ray_cluster; ray_cluster._CONNECT_SECONDS = 3.0\n"
        "from covermaker.errors import ResourceError\n"
        "import os\n"
        "try: engine_at(sys.argv[1], Path(sys.argv[2]), sys.argv[2]).open()\n"
        "except ResourceError as error: print(error, flush=True); os._exit(6)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, f"127.0.0.1:{server.server_port}", str(tmp_path)],
        capture_output=True, text=True, timeout=30, cwd=os.path.dirname(__file__),
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    assert done.returncode == 6, done.stderr
    assert "what listens there does not answer as a Ray cluster does" in done.stdout


@pytest.mark.own_network
def test_no_cluster_runs_here(tmp_path):
    with pytest.raises(ResourceError, match="this machine belongs to no Ray cluster that runs") as refused:
        opened(tmp_path, "auto")
    assert "ray start --head" in refused.value.hint


@pytest.mark.own_network
@pytest.mark.slow
def test_a_folder_that_a_node_does_not_see_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_sharing, "_PATIENCE_SECONDS", 1.0)
    hidden, seen = tmp_path / "hidden", tmp_path / "seen"
    hidden.mkdir()
    cluster = Cluster(1)
    try:
        # node-2 has a disk of its own where the folder is.
        node = subprocess.Popen(
            [
                "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', hidden,
                Path(sys.executable).with_name("ray"), "start", "--block", "--address", cluster.address,
                "--node-name", "node-2", "--num-cpus", "1",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        cluster.wait_for(2)
        for folders, words in (
            ((seen, hidden), f"the store {hidden} is not shared with node-2"),
            ((hidden, seen), f"the batch's folder {hidden} is not shared with node-2"),
        ):
            engine = engine_at(cluster.address, *folders)
            with pytest.raises(ResourceError) as refused:
                engine.open()
            engine.close()
            assert refused.value.message == words
            assert "that every node has under this path" in refused.value.hint
        assert not list(hidden.glob(".shared*"))
        engine = engine_at(cluster.address, seen, seen / "store", device="cuda")
        with pytest.raises(ResourceError, match="no node of the cluster has a GPU"):
            engine.open()
        engine.close()
        node.terminate()
        node.wait()
    finally:
        cluster.shutdown()
