"""``covermaker train`` and what follows it, as a person types them; above all what is refused, and how."""

import json
import os
import re
import signal
import time

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.errors import AudioInputError, ExitCode, UsageError
from covermaker.jobs.launch import launch
from covermaker.takes.document import read_takes
from covermaker.training.course import read_run
from covermaker.training.lock import alone_in
from covermaker.training.prepare import doubts, prepare
from covermaker.training.pulse import Pulse
from covermaker.training.stopping import is_asked

RATE = 16_000


def vowels(seconds, *, hz=200.0, seed=0):
    """Return phrases of gliding vowels with consonants of noise and pauses between: enough like singing to be cut."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = hz * 2.0 ** (np.sin(2 * np.pi * time / 3.1) / 6)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    wander = 500 + 200 * np.sin(2 * np.pi * time / 0.7)
    tone = sum(np.sin(k * phase) / (1 + ((k * pitch - wander) / 300) ** 2) / k**0.5 for k in range(1, 20))
    noise = rng.standard_normal(len(time))
    sung = np.where(time % 0.7 > 0.12, tone, 0.15 * noise) * (time % 6.0 < 5.3)
    return (0.1 * sung + 3e-4 * noise).astype(np.float32)


@pytest.fixture
def library(tmp_path, monkeypatch, jobs_here):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "library"


@pytest.fixture
def here(monkeypatch):
    """Run jobs in this process: a child would import everything again."""
    from covermaker.training.task import train

    monkeypatch.setattr(
        "covermaker.cli.train.launch", lambda request, *, listener, log: train(request, listener)
    )


@pytest.fixture
def nobody_compared(monkeypatch):
    monkeypatch.setattr(
        "covermaker.takes.scan.singer_pieces", lambda *_: (np.zeros((0, 256), np.float32), np.zeros(0))
    )


def take(name, samples):
    """Write a take of 16 bits: less than 2 MB in all are read in this process, where tests can reach in."""
    soundfile.write(name, samples, RATE, subtype="PCM_16")
    return name


def new(*files, name="anna"):
    return run(["voices", "new", name, *files, "--rights", "synthetic"])


@pytest.fixture
def anna(library, capsys):
    assert new(take("a.wav", vowels(40))) == 0
    capsys.readouterr()
    return library / "anna"


def refused(capsys, code, *words):
    """Check that a refusal is one line with a hint, and no traceback."""
    said = capsys.readouterr()
    assert not said.out
    assert "Traceback" not in said.err
    assert len(said.err.strip().splitlines()) <= 2
    for word in words:
        assert re.search(word, said.err), said.err
    return code


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (vowels(20), "20 s of takes are too little"),
        (np.zeros(60 * RATE, np.float32), "the take is silent"),
    ],
)
def test_takes_that_are_no_start(library, capsys, samples, words):
    assert new(take("a.wav", samples)) == ExitCode.AUDIO
    refused(capsys, 0, words)
    assert not (library / "anna").exists()


def test_too_little_voice_in_long_takes(library, here, nobody_compared, capsys):
    mostly_nothing = np.concatenate([vowels(10), np.full(40 * RATE, 1e-6, np.float32)])
    assert new(take("a.wav", mostly_nothing)) == 0
    capsys.readouterr()
    assert run(["train", "anna"]) == ExitCode.AUDIO
    said = capsys.readouterr().err
    assert re.search(r"hold \d+ s of voice, too little to train one", said)
    assert "5 to 20 minutes" in said


def test_inverted_channels_do_not_cancel(library, nobody_compared, capsys):
    mono = vowels(31)
    assert new(take("a.wav", np.stack([mono, -0.97 * mono], axis=1))) == 0
    folder = library / "anna"
    ready = prepare(folder, read_takes(folder), folder / "training")
    for source in ready.sources:
        sound, _ = soundfile.read(source.path)
        assert np.sqrt(np.mean(sound**2)) > 0.01
    assert abs(12 * np.log2(ready.medians_hz[0] / 200.0)) < 1.0
    assert any("inverted" in doubt and "turned round" in doubt for doubt in doubts(folder))


def test_clipped_takes_are_told(library, nobody_compared):
    assert new(take("a.wav", vowels(40)), take("b.wav", np.clip(30 * vowels(12, seed=1), -1, 1))) == 0
    (doubt,) = doubts(library / "anna")
    assert doubt.startswith("b.wav: clipped")
    assert "less gain" in doubt


def test_two_singers_are_told(library, monkeypatch):
    assert new(take("a.wav", vowels(40)), take("b.wav", vowels(12, seed=1))) == 0

    def pieces(mono, cuts, rate, cache, key):
        rows = np.eye(256, dtype=np.float32)[:2]  # as far apart as can be
        long = sum(end - start for start, end in cuts) / rate > 20
        return rows[[0]] if long else rows[[1]], np.array([30.0 if long else 10.0])

    monkeypatch.setattr("covermaker.takes.scan.singer_pieces", pieces)
    (doubt,) = doubts(library / "anna")
    assert doubt.startswith("b.wav: its voice is not that of the other takes")
    # A person who says that there are two gets a voice of two.
    document = library / "anna" / "takes.toml"
    singers = iter(["Anna", "Bea"])
    lines = [line for line in document.read_text().splitlines() if not line.startswith("singer")]
    rows = [f'{line}\nsinger = "{next(singers)}"' if line.startswith("sha256") else line for line in lines]
    document.write_text("\n".join(rows))
    assert doubts(library / "anna") == []
    ready = prepare(library / "anna", read_takes(library / "anna"), library / "anna" / "training")
    assert ready.singers == ["Anna", "Bea"]
    assert {source.speaker for source in ready.sources} == {0, 1}


def test_a_trained_voice_is_not_trained_again_unasked(anna, here, capsys):
    (anna / "card.toml").write_text("")
    assert run(["train", "anna"]) == ExitCode.USAGE
    refused(capsys, 0, "'anna' is trained already", "--force")


def test_a_stopped_training_is_not_begun_again_unasked(anna, here, capsys):
    (anna / "training").mkdir()
    (anna / "training" / "run.json").write_text('{"status": "running"}')
    assert run(["train", "anna"]) == ExitCode.USAGE
    refused(capsys, 0, "was stopped before its end", "--resume takes it up, --force begins again")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seed", "3"], ["begun with the seed '1'", "leave --seed out, or begin again with --force"]),
        (["--profile", "studio"], ["begun with the profile 'quick'", "leave --profile out"]),
        (["--seed", "1", "--profile", "quick"], ["begun by another version", "--force begins again"]),
        ([], ["begun by another version", "--force begins again"]),
    ],
)
def test_what_a_stopped_training_was_begun_with_stays(anna, here, capsys, options, words):
    from covermaker.training.asked import VERSION
    from covermaker.training.profiles import PROFILES

    version = 0 if "version" in words[0] else VERSION
    run_of = {"version": version, "status": "running", "profile": PROFILES["quick"].as_dict(), "seed": 1}
    (anna / "training").mkdir()
    (anna / "training" / "run.json").write_text(json.dumps(run_of))
    assert run(["train", "anna", "--resume", *options]) == ExitCode.USAGE
    refused(capsys, 0, *words)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--encoder", "whisper-bass"], ExitCode.USAGE, ["whisper-bass", "whisper-base"]),
        (["--encoder", "contentvec"], ExitCode.WEIGHTS, ["contentvec", "covermaker models"]),
        (["--profile", "quik"], ExitCode.USAGE, ["unknown profile 'quik'", "quick"]),
        (["--profile", "custom"], ExitCode.PROJECT, ["profile.toml"]),
        (["--resume"], ExitCode.USAGE, ["no training to take up"]),
        (["--resume", "--force"], ExitCode.USAGE, ["exclude each other"]),
        (["--minutes", "3", "--steps", "3"], ExitCode.USAGE, ["exclude each other"]),
        (["--minutes", "0.1"], ExitCode.USAGE, ["out of range"]),
    ],
)
def test_what_cannot_be_asked_for(anna, here, capsys, monkeypatch, tmp_path, options, code, words):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert run(["train", "anna", *options]) == code
    refused(capsys, code, *words)
    assert not (anna / "card.toml").exists()


@pytest.mark.parametrize(
    ("kept", "status", "words"),
    [
        (
            [200, 400],
            "running",
            "the last checkpoint is that of step 400, go on with: covermaker train anna --resume",
        ),
        ([], "running", "what was prepared so far is kept, go on with: covermaker train anna --resume"),
        (
            [],
            None,
            "what was prepared so far is kept, go on with: covermaker train anna --steps 40 --device cpu",
        ),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_answered_with_what_is_kept(anna, capsys, monkeypatch, kept, status, words, number):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("whoever runs the tests has this signal ignored, as nohup does")
    place = anna / "training" / "checkpoints"
    place.mkdir(parents=True)
    for step in kept:
        (place / f"step-{step:09d}.safetensors").touch()
    if status:
        (place.parent / "run.json").write_text(json.dumps({"status": status}))

    def work(request, *, listener, log):
        os.kill(os.getpid(), number)
        time.sleep(10)

    monkeypatch.setattr("covermaker.cli.train.launch", work)
    before = signal.getsignal(signal.SIGTERM)
    assert run(["train", "anna", "--force", "--steps", "40", "--device", "cpu"]) == ExitCode.INTERRUPTED
    options = " --device cpu" if words.endswith("--resume") else ""
    assert capsys.readouterr().err == f"error: stopped; {words}{options}\n"
    assert signal.getsignal(signal.SIGTERM) == before


def test_ctrl_c_lets_a_training_save_and_the_next_one_ends_it(anna, capsys, monkeypatch):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("whoever runs the tests has this signal ignored, as nohup does")
    work = anna / "training"
    work.mkdir(exist_ok=True)
    asked = []

    def training(request, *, listener, log):
        with alone_in(anna, "a training"):
            pulse = Pulse(work, listener)
            pulse.begin()
            os.kill(os.getpid(), signal.SIGINT)
            asked.append(is_asked(work))
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)

    monkeypatch.setattr("covermaker.cli.train.launch", training)
    before = signal.getsignal(signal.SIGINT)
    assert run(["train", "anna", "--force"]) == ExitCode.INTERRUPTED
    assert asked == [True]
    said = capsys.readouterr().err
    assert "it saves and ends; Ctrl-C again ends it at once" in said
    assert "error: stopped; " in said
    assert signal.getsignal(signal.SIGINT) == before


def test_a_singer_without_a_clip_is_named(library):
    """The document names two singers; a voice of one would not be what it says."""
    quiet = (np.random.default_rng(1).standard_normal(15 * RATE) * 1e-3).astype(np.float32)
    assert new(take("a.wav", vowels(40)), take("b.wav", np.concatenate([quiet, vowels(1, seed=1)]))) == 0
    document = library / "anna" / "takes.toml"
    singers = iter(["Anna", "Bea"])
    lines = [line for line in document.read_text().splitlines() if not line.startswith("singer")]
    rows = [f'{line}\nsinger = "{next(singers)}"' if line.startswith("sha256") else line for line in lines]
    document.write_text("\n".join(rows))
    soundfile.write(library / "anna" / "takes" / "b.wav", quiet, RATE)
    with pytest.raises(AudioInputError, match="the takes of 'Bea' hold no clip"):
        prepare(library / "anna", read_takes(library / "anna"), library / "anna" / "training")


def test_tensorboard_is_asked_for_before_anything_is_done(anna, capsys, monkeypatch):
    monkeypatch.setattr("covermaker.training.board.find_spec", lambda name: None)
    assert run(["train", "anna", "--tensorboard"]) == ExitCode.USAGE
    refused(capsys, 0, "needs the package tensorboard", "pip install tensorboard")


def test_another_process_of_torchrun_is_silent(anna, here, capsys, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")

    def refuse(request, listener):
        assert request["voice"] == str(anna)
        raise UsageError("said by the leader")

    monkeypatch.setattr("covermaker.training.task.train_with_others", refuse)
    with pytest.raises(SystemExit) as ended:
        run(["train", "anna"])
    assert ended.value.code == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == said.err == ""
    monkeypatch.setenv("RANK", "0")
    assert run(["train", "anna"]) == ExitCode.USAGE
    refused(capsys, 0, "said by the leader")


def test_no_takes_no_rights_no_voice(anna, here, capsys):
    assert run(["train", "anne"]) == ExitCode.PROJECT
    refused(capsys, 0, "no voice 'anne'", "anna")
    document = anna / "takes.toml"
    text = document.read_text()
    document.write_text(re.sub("rights = .*\n", "", text))
    assert run(["train", "anna"]) == ExitCode.PROJECT
    refused(capsys, 0, "'rights' is missing", "own-voice, licensed or synthetic")
    document.write_text(text.replace("synthetic", "own-voice"))
    assert run(["train", "anna"]) == ExitCode.PROJECT
    refused(capsys, 0, "need a statement", "who agreed")
    document.unlink()
    assert run(["train", "anna"]) == ExitCode.PROJECT
    refused(capsys, 0, "takes.toml", "covermaker voices new")


@pytest.mark.parametrize("command", [["audition", "anna"], ["promote", "anna", "12"]])
def test_a_voice_without_training_has_no_checkpoints(anna, capsys, command):
    assert run(["voices", *command]) == ExitCode.PROJECT
    refused(capsys, 0, "card.toml")


PROFILE = """
encoder = "whisper-tiny.en"
heldout_seconds = 8.0
[augmentation]
made_minutes = 0.3
throats = 1
separated = 0.0
[size]
hidden = 24
inner = 32
dilations = [1]
memory_rows = 32
[recipe]
steps = 12
saves = 2
batch_size = 2
warm_steps = 2
patience = 99
peak_rate = {rate}
"""


@pytest.mark.slow
def test_from_takes_to_a_voice_that_is_promoted(anna, capsys, monkeypatch):
    """Everything with its own processes: train, go on, listen, choose, judge; then a training that goes astray."""
    monkeypatch.setattr("covermaker.cli.alone.launch", launch)
    (anna / "profile.toml").write_text(PROFILE.format(rate=1e-3))
    train = ["train", "anna", "--profile", "custom", "--threads", "1"]
    assert run([*train, "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = {event["event"] for event in events}
    assert {
        "step.started",
        "step.finished",
        "training.progress",
        "training.scored",
        "render.finished",
    } <= kinds
    scored = [event["step"] for event in events if event["event"] == "training.scored"]
    assert scored == [6, 12]
    progress = [event for event in events if event["event"] == "training.progress"]
    assert all(event["seconds_left"] >= 0 and event["losses"]["spectral"] > 0 for event in progress)

    assert run(["train", "anna", "--resume", "--steps", "16", "--threads", "1"]) == 0
    said = capsys.readouterr()
    assert "16, the best is" in said.out
    named = (
        "cutting the takes",
        "hearing the takes",
        "making the test phrases",
        "building the index",
        "train",
    )
    for phase in named:
        assert re.search(rf"^{phase} +[\d.]+ s$", said.err, re.MULTILINE)

    assert run(["train", "anna", "--resume"]) == ExitCode.USAGE
    refused(capsys, 0, "finished at 16 steps", "--steps above 16")
    assert run(["voices", "status", "anna"]) == 0
    assert re.search("^training +finished\nprofile +custom, 16 steps$", capsys.readouterr().out, re.MULTILINE)

    assert run(["voices", "audition", "anna", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    steps = [state["step"] for state in said["checkpoints"]]
    assert 16 in steps
    assert {f"step-{step}-sung.wav" for step in steps} <= {file.rsplit("/")[-1] for file in said["files"]}
    other = next(state["step"] for state in said["checkpoints"] if not state["is_voice"])
    assert run(["voices", "promote", "anna", str(other)]) == 0
    assert f"step {other} now" in capsys.readouterr().out
    assert run(["voices", "promote", "anna", "7"]) == ExitCode.USAGE
    refused(capsys, 0, "no checkpoint of step 7", "kept: ")
    assert run(["evaluate", "anna"]) == 0
    assert "Training of anna" in capsys.readouterr().out

    good = (anna / "card.toml").read_bytes()
    (anna / "profile.toml").write_text(PROFILE.format(rate=1e30))
    assert run([*train, "--force"]) == ExitCode.INTERNAL
    said = capsys.readouterr().err
    assert "went astray at step" in said
    assert "voices scan" in said
    assert (anna / "card.toml").read_bytes() == good
    assert read_run(anna / "training")["status"] == "astray"
