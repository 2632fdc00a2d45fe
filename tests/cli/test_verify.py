import json

import numpy as np
import pytest

from covermaker.audio.files import wav_writer
from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.export.credentials import Claim
from covermaker.export.files import Wishes, export_file
from covermaker.export.identity import identity

pytest.importorskip("c2pa")


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a signed file and one that is not."""
    monkeypatch.setenv("COVERMAKER_CREDENTIALS", str(tmp_path / "credentials"))
    master = tmp_path / "master.wav"
    with wav_writer(master, sample_rate=44_100, channels=2) as writer:
        writer.write(np.random.default_rng(0).standard_normal((2, 20_000)).astype(np.float32) * 0.1)
    claim = Claim("Blue", (("anna", "CC0-1.0"),), "Blue, the original recording", identity())
    for name, wishes in (("signed.flac", Wishes(claim=claim)), ("plain.flac", Wishes())):
        export_file(master, tmp_path / name, format="flac", tags={}, seed=0, wishes=wishes)
    return tmp_path / "signed.flac", tmp_path / "plain.flac"


def test_valid(made, capsys):
    assert run(["verify", str(made[0])]) == ExitCode.OK
    said = capsys.readouterr().out
    for words in (
        "valid: nothing that was signed has changed",
        "Blue",
        "anna (rights: CC0-1.0)",
        "compositeWithTrainedAlgorithmicMedia",
    ):
        assert words in said
    assert "no known authority" in said


def test_tampered(made, capsys):
    data = bytearray(made[0].read_bytes())
    data[len(data) // 2] ^= 1
    made[0].write_bytes(data)
    assert run(["verify", str(made[0])]) == ExitCode.TAMPERED == 9
    said = capsys.readouterr().out
    assert "TAMPERED" in said
    assert "assertion.dataHash.mismatch" in said


def test_what_is_left_out_of_the_signature_is_not_called_unchanged(made, capsys):
    path = made[0].with_name("signed.m4a")
    identity_claim = Claim("Blue", (), "Blue, the original recording", identity())
    export_file(
        made[0].with_name("master.wav"),
        path,
        format="m4a",
        tags={},
        seed=0,
        wishes=Wishes(claim=identity_claim),
    )
    data = bytearray(path.read_bytes())
    assert data[4:8] == b"ftyp"
    data[8] ^= 1
    path.write_bytes(data)
    assert run(["verify", str(path)]) == ExitCode.OK
    assert "not a byte" not in capsys.readouterr().out


def test_none(made, capsys):
    assert run(["verify", str(made[1])]) == ExitCode.UNSIGNED == 8
    assert "carries no content credentials" in capsys.readouterr().out


def test_json(made, capsys):
    assert run(["verify", str(made[0]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "valid"
    assert found["voices"] == [{"name": "anna", "rights": "CC0-1.0"}]
    assert run(["verify", str(made[1]), "--json"]) == ExitCode.UNSIGNED
    assert json.loads(capsys.readouterr().out)["state"] == "none"


def test_a_file_that_is_not_there(made, capsys):
    assert run(["verify", "nowhere.wav"]) == ExitCode.AUDIO
    assert "does not exist" in capsys.readouterr().err
