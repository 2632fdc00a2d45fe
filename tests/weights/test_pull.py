"""Fetching: only when asked, only what is missing, checked, and one line when it cannot be."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from covermaker.errors import ResourceError, WeightsError
from covermaker.weights import catalog
from covermaker.weights.pull import pull

CONTENT = {"htdemucs.yaml": b"models: ['955717e8']\n", "955717e8.safetensors": b"the weights"}


@pytest.fixture
def hub(monkeypatch):
    """A hub in memory; `etag` is changed by tests that want a damaged download."""
    import huggingface_hub

    state = SimpleNamespace(asked=[], error=None, etags={})
    for name, content in CONTENT.items():
        large = name.endswith("safetensors")
        state.etags[name] = hashlib.sha256(content).hexdigest() if large else "0" * 40

    def metadata(url):
        if state.error is not None:
            raise state.error
        return SimpleNamespace(etag=state.etags[url.rpartition("/")[2]])

    def download(repo, name, *, local_dir):
        state.asked.append((repo, name))
        Path(local_dir).mkdir(parents=True, exist_ok=True)
        path = Path(local_dir) / name
        path.write_bytes(CONTENT[name])
        return str(path)

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", metadata)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    return state


def test_files_arrive_checked_in_the_models_folder(hub, models):
    seen = []
    folder = pull("htdemucs", progress=seen.append)
    assert folder == models / "htdemucs" == catalog.locate("htdemucs")
    assert [name for _, name in hub.asked] == list(CONTENT)
    assert {repo for repo, _ in hub.asked} == {"adefossez/HTDemucs"}
    assert {name: (folder / name).read_bytes() for name in CONTENT} == CONTENT
    assert not (folder / ".incoming").exists()
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    catalog.verify("htdemucs")


def test_what_is_there_is_not_fetched_again(hub):
    pull("htdemucs")
    hub.asked.clear()
    pull("htdemucs")
    assert pull("crepe-tiny").name == "tiny.pth"
    assert not hub.asked


def test_later_damage_is_seen(hub):
    folder = pull("htdemucs")
    (folder / "955717e8.safetensors").write_bytes(b"other words")
    with pytest.raises(WeightsError, match="damaged"):
        catalog.locate("htdemucs")


def test_a_damaged_download_is_not_kept(hub, models):
    hub.etags["955717e8.safetensors"] = "1" * 64
    with pytest.raises(WeightsError, match=r"955717e8\.safetensors of 'htdemucs' arrived damaged"):
        pull("htdemucs")
    assert not (models / "htdemucs" / "955717e8.safetensors").exists()
    with pytest.raises(WeightsError, match="not installed"):
        catalog.locate("htdemucs")


def test_without_a_network_it_is_one_line(hub):
    import httpx2

    for error in (OSError(-2, "Name or service not known"), httpx2.ConnectError("no route\nto host")):
        hub.error = error
        with pytest.raises(WeightsError, match="hub cannot be reached for 'htdemucs'") as caught:
            pull("htdemucs")
        assert "\n" not in str(caught.value)
        files = [file.name for file in catalog.entry("htdemucs").files]
        words = f"get {', '.join(files)} of huggingface.co/adefossez/HTDemucs elsewhere, and put"
        assert words in str(caught.value)


def test_a_full_disk(hub):
    hub.error = OSError(28, "No space left on device")
    with pytest.raises(ResourceError, match="No space left"):
        pull("htdemucs")


def test_defects_of_ours_are_not_called_network(hub):
    hub.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        pull("htdemucs")


def test_an_entry_that_is_on_no_hub(monkeypatch):
    monkeypatch.setattr(catalog, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install torchfcpe"):
        pull("fcpe")
