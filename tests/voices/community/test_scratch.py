"""What an import unpacks for the moment goes with it, or with the next one."""

import os
import pickle
import subprocess
import sys
import zipfile

import pytest
from community_models import save, small_model

from covermaker.disk import this_host
from covermaker.errors import WeightsError
from covermaker.voices.community import find
from covermaker.voices.community.scratch import scratch_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


def test_a_killed_import_s_folder_goes_with_the_next_and_a_living_one_s_stays(temporary):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = temporary / f"covermaker-import-{this_host()}-{dead.pid}-abc_123"
    alive = temporary / f"covermaker-import-{this_host()}-{os.getpid()}-abc_123"
    foreign = temporary / f"covermaker-import-elsewhere-{dead.pid}-abc_123"
    for folder in (left, alive, foreign):
        (folder / "deep").mkdir(parents=True)
    with scratch_folder() as scratch:
        assert scratch.parent == temporary
        assert not left.exists()
    assert sorted(temporary.iterdir()) == sorted([alive, foreign])


def test_only_an_archive_is_unpacked(temporary, tmp_path):
    path = save(tmp_path / "miku.pth", small_model())
    for one in (path, path.parent):
        with find.found(one):
            assert list(temporary.iterdir()) == []
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.write(path, "miku.pth")
    with find.found(tmp_path / "m.zip"):
        assert len(list(temporary.iterdir())) == 1
    assert list(temporary.iterdir()) == []


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_raw_pickle_in_a_folder_or_archive_says_what_it_is(tmp_path, wrapped):
    path = tmp_path / "t" / "Totally_Legit_e500.pth"
    path.parent.mkdir()
    path.write_bytes(pickle.dumps({"weight": Trap(tmp_path / "sprung")}, protocol=4))
    (path.parent / "read me.txt").write_text("hello")
    named = path.parent
    if wrapped:
        named = tmp_path / "t.zip"
        with zipfile.ZipFile(named, "w") as archive:
            archive.write(path, "t/Totally_Legit_e500.pth")
            archive.writestr("t/a.txt", "hello")
    with (
        pytest.raises(WeightsError, match=r"Totally_Legit_e500\.pth is a raw pickle.*posix\.mkdir") as caught,
        find.found(named),
    ):
        pass
    assert "kmeans" not in caught.value.hint
    assert "do not open it in another program" in caught.value.hint
    assert not (tmp_path / "sprung").exists()
