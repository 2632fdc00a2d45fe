import errno
import hashlib
import os
import subprocess
import sys

import pytest

from covermaker import disk
from covermaker.disk import (
    encoder_error,
    flush_and_hash,
    making_folder,
    replacing,
    same_content,
    write_bytes,
    write_error,
)
from covermaker.errors import AudioInputError, ResourceError


def test_the_file_appears_whole(tmp_path):
    target = tmp_path / "new folder" / "x.bin"
    with replacing(target) as temporary:
        temporary.write_bytes(b"abc")
        assert temporary.suffix == ".bin"
        assert not target.exists()
    assert target.read_bytes() == b"abc"
    assert os.listdir(target.parent) == ["x.bin"]


def test_after_an_error_the_old_file_stands_alone(tmp_path):
    target = tmp_path / "x.bin"
    target.write_bytes(b"old")

    def fail():
        with replacing(target) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x.bin"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission"),
        (errno.EIO, "error"),
    ],
)
def test_operating_system_errors_are_mapped(tmp_path, number, words):
    def fail():
        with replacing(tmp_path / "x"):
            raise OSError(number, os.strerror(number))

    with pytest.raises(ResourceError, match=words):
        fail()
    assert not list(tmp_path.iterdir())


def test_the_message_names_the_file_the_user_knows(tmp_path):
    def fail():
        with replacing(tmp_path / "song.wav") as temporary:
            raise write_error(OSError(errno.ENOSPC, ""), temporary)

    with pytest.raises(ResourceError, match=r"/song\.wav': the disk is full") as caught:
        fail()
    assert ".part" not in str(caught.value)


def test_leftovers_of_a_killed_process_go_with_the_next_write(tmp_path):
    script = (
        "import os, pathlib; from covermaker.disk import replacing\n"
        f"with replacing(pathlib.Path({str(tmp_path)!r}) / 'song.wav') as t:\n"
        "    t.write_bytes(b'x'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    alive = tmp_path / f".part-{disk.this_host()}-{os.getpid()}-00000000.wav"
    alive.touch()
    foreign = tmp_path / ".part-elsewhere-1-00000000.wav"
    foreign.touch()
    write_bytes(tmp_path / "other.txt", b"y")
    assert {p.name for p in tmp_path.iterdir()} == {"other.txt", alive.name, foreign.name}


def test_whether_a_process_runs_is_known_of_this_machine_only():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert disk.runs(disk.this_host(), os.getpid())
    assert disk.runs(disk.this_host(), 1)  # somebody else's
    assert not disk.runs(disk.this_host(), gone.pid)
    assert not disk.runs(disk.this_host(), 1 << 80)
    assert disk.runs("elsewhere", gone.pid)


def test_an_encoder_that_names_no_reason(tmp_path, monkeypatch):
    assert "psf said no" in str(encoder_error(tmp_path / "x", "psf said no"))
    monkeypatch.setattr(disk, "ALMOST_FULL_BYTES", 1 << 62)
    assert "disk is full" in str(encoder_error(tmp_path / "x", "psf said no"))


def test_unknown_numbers_keep_the_system_words(tmp_path):
    assert "Device or resource busy" in str(
        write_error(OSError(errno.EBUSY, "Device or resource busy"), tmp_path)
    )


def test_the_hash_of_a_flushed_file_is_its_sha256(tmp_path):
    data = os.urandom(700_000)
    (tmp_path / "x").write_bytes(data)
    assert flush_and_hash(tmp_path / "x") == hashlib.sha256(data).hexdigest()
    with pytest.raises(AudioInputError, match="there is no file"):
        flush_and_hash(tmp_path / "none")


def test_a_file_that_cannot_be_flushed_is_no_success(tmp_path, monkeypatch):
    def full(path):
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "x").write_bytes(b"abc")
    monkeypatch.setattr(disk, "sync", full)
    with pytest.raises(OSError, match="Input/output"):
        flush_and_hash(tmp_path / "x")


@pytest.mark.parametrize("size", [0, 1, 1 << 18, (1 << 18) + 1, 600_000])
def test_files_are_the_same_when_every_byte_is(tmp_path, size):
    data = bytearray(os.urandom(size))
    one, other = tmp_path / "one", tmp_path / "other"
    other.write_bytes(data)
    assert not same_content(one, other)  # not there
    one.write_bytes(data)
    assert same_content(one, other)
    one.write_bytes(data + b"x")
    assert not same_content(one, other)
    if size:
        data[-1] ^= 1
        one.write_bytes(data)
        assert not same_content(one, other)


def test_a_folder_appears_whole(tmp_path):
    target = tmp_path / "there" / "new"
    with making_folder(target) as made:
        (made / "a").write_text("a")
        assert made.parent == target.parent
        assert not target.exists()
    assert [path.name for path in target.iterdir()] == ["a"]
    assert os.listdir(target.parent) == ["new"]


@pytest.mark.parametrize("error", [ValueError("no"), OSError(errno.ENOSPC, "no")])
def test_of_a_folder_that_could_not_be_made_nothing_is_left(tmp_path, error):
    expected = ResourceError if isinstance(error, OSError) else ValueError

    def make():
        with making_folder(tmp_path / "new") as made:
            (made / "a").write_text("a")
            raise error

    with pytest.raises(expected):
        make()
    assert os.listdir(tmp_path) == []


def test_a_folder_does_not_replace_another(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "old").write_text("")
    with pytest.raises(ResourceError, match="new"), making_folder(tmp_path / "new") as made:
        (made / "a").write_text("a")
    assert os.listdir(tmp_path / "new") == ["old"]
    assert os.listdir(tmp_path) == ["new"]


def test_what_a_killed_maker_of_a_folder_left_goes_with_the_next(tmp_path):
    dead = tmp_path / f".part-{disk.this_host()}-999999999-0123abcd"
    dead.mkdir()
    (dead / "a").write_text("")
    with making_folder(tmp_path / "new"):
        pass
    assert os.listdir(tmp_path) == ["new"]
