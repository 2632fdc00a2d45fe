"""``covermaker train --network vits``: what is refused before anything is done, and one that is trained and sings."""

import json

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.training.course import read_run

TINY = """
network = "vits"
encoder = "whisper-tiny.en"
heldout_seconds = 4.0
[vits]
sample_rate = 32000
hidden = 32
latent = 16
filter = 64
layers = 2
upsample_channels = 64
speaker_dim = 32
critics_channels = 64
segment_frames = 16
[recipe]
steps = 6
batch_size = 2
saves = 2
clip_frames = 120
peak_rate = 0.001
"""


@pytest.fixture
def anna(tmp_path, monkeypatch, jobs_here):
    """Return the folder of a voice with a minute of takes: vowels that glide, and consonants of noise."""
    from covermaker.training.task import train

    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "covermaker.cli.train.launch", lambda request, *, listener, log: train(request, listener)
    )
    rng = np.random.default_rng(0)
    time = np.arange(60 * 16_000) / 16_000
    pitch = 200.0 * 2.0 ** (np.sin(2 * np.pi * time / 3.1) / 6)
    phase = 2 * np.pi * np.cumsum(pitch) / 16_000
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    noise = rng.standard_normal(len(time))
    sung = np.where(time % 0.7 > 0.12, tone, 0.15 * noise) * (time % 6.0 < 5.3)
    soundfile.write("take.wav", (0.1 * sung + 3e-4 * noise).astype(np.float32), 16_000)
    assert run(["voices", "new", "anna", "take.wav", "--rights", "synthetic"]) == ExitCode.OK
    return tmp_path / "library" / "anna"


def refused(capsys, *words):
    capsys.readouterr()
    code = run(["train", "anna", *words])
    return code, capsys.readouterr().err


def test_what_is_asked_for_must_be_there(anna, capsys, monkeypatch):
    code, said = refused(capsys, "--network", "vits", "--profile", "studio")
    assert code == ExitCode.USAGE
    assert "the profile 'studio' is of the network 'ddsp', not of 'vits'" in said
    assert "--profile rvc or rvc-32k or rvc-48k or sovits or custom" in said

    monkeypatch.setenv("COVERMAKER_WEIGHTS_CONTENTVEC", str(anna / "nowhere"))
    code, said = refused(capsys, "--network", "vits")
    assert code == ExitCode.WEIGHTS
    assert "the weights 'contentvec' are not at" in said

    monkeypatch.setattr("covermaker.training.run._check_needs", lambda *_: None)
    code, said = refused(capsys, "--network", "vits", "--base", "nowhere.pth")
    assert code == ExitCode.WEIGHTS
    assert "nowhere.pth cannot be read" in said

    (anna.parent.parent / "evil.pth").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    code, said = refused(capsys, "--network", "vits", "--base", "evil.pth")
    assert code == ExitCode.WEIGHTS
    assert "evil.pth is no checkpoint that can be read" in said

    for files in (("none", "none"), ("evil.pth", "none")):
        code, said = refused(capsys, "--network", "vits", "--base", files[0], "--base", files[1])
        assert code == ExitCode.USAGE
        assert "--base none stands alone" in said

    code, said = refused(capsys, "--base", "evil.pth")
    assert code == ExitCode.USAGE
    assert "the network 'ddsp' begins with no pretrained weights" in said

    code, said = refused(capsys, "--network", "vits", "--encoder", "contentvek")
    assert code == ExitCode.USAGE
    assert not (anna / "training" / "run.json").exists()


def test_no_takes_no_voice(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path))
    code, said = refused(capsys, "--network", "vits")
    assert code != ExitCode.OK
    assert "anna" in said


@pytest.mark.slow
def test_a_voice_is_trained_scored_and_sings(anna, capsys):
    (anna / "profile.toml").write_text(TINY)
    assert run(["train", "anna", "--profile", "custom", "--device", "cpu", "--json"]) == ExitCode.OK
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    scored = [event for event in events if event.get("event") == "training.scored"]
    assert [event["step"] for event in scored] == [3, 6]
    notes = " ".join(event.get("text", "") for event in events if event.get("event") == "note")
    assert "for a GPU" in notes
    assert read_run(anna / "training")["status"] == "finished"
    code, said = refused(capsys, "--network", "ddsp", "--resume")
    assert code == ExitCode.USAGE
    assert "begun with the network 'vits'" in said

    assert run(["convert", "take.wav", "--voice", "anna", "--out", "sung.wav"]) == ExitCode.OK
    sung, rate = soundfile.read("sung.wav")
    assert len(sung) == 60 * rate
    assert np.isfinite(sung).all()
    assert np.abs(sung).max() > 0

    capsys.readouterr()
    assert run(["voices", "export", "anna", "--format", "rvc", "--out", "out"]) == ExitCode.USAGE
    assert "content encoder 'whisper-tiny.en', which RVC has not" in capsys.readouterr().err
