"""``covermaker voices new`` and ``voices scan``, as a person types them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from covermaker.cli.main import run
from covermaker.errors import ExitCode, ResourceError
from covermaker.jobs.launch import launch
from covermaker.takes.document import read_takes
from covermaker.takes.lock import changing
from covermaker.training.lock import LOCK_FILE, alone_in


@pytest.fixture
def library(tmp_path, monkeypatch, jobs_here):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "covermaker.takes.scan.singer_pieces", lambda *_: (np.zeros((0, 256), np.float32), np.zeros(0))
    )
    return tmp_path / "library"


@pytest.fixture
def recorded(tmp_path):
    folder = tmp_path / "recorded"
    folder.mkdir()
    t = np.arange(16000 * 20) / 16000
    for index, name in enumerate(("A long name of a take.wav", "b.flac")):
        hz = 200 * (1 + index / 2)
        tone = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 8)) * (t % 8 < 7.5)
        noise = 1e-4 * np.random.default_rng(index).standard_normal(len(t))
        soundfile.write(folder / name, 0.2 * tone + noise, 16000)
    return folder


def make(*options):
    return run(["voices", "new", "anna", "recorded", "--rights", "synthetic", *options])


def test_takes_come_in_and_are_scanned(library, recorded, capsys):
    assert make("--language", "en", "--slice", "4-9.5") == 0
    said = capsys.readouterr()
    assert "2 takes, synthetic" in said.out
    assert "covermaker voices scan anna" in said.out
    takes = read_takes(library / "anna")
    assert (takes.slicing.min_seconds, takes.slicing.max_seconds, takes.languages) == (4.0, 9.5, ["en"])

    assert run(["voices", "scan", "anna", "--no-bleed", "--png", "look.png", "--labels", "write"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].split() == [
        "take",
        "len",
        "LUFS",
        "noise",
        "SNR",
        "sil",
        "range",
        "band",
        "like",
        "verdict",
    ]
    assert max(len(line) for line in lines[:4]) <= 80
    assert lines[2].startswith("a-long-name…  0:20")
    assert "G3-G3" in lines[2]
    assert "2 takes, " in lines[-1]
    assert "labels " in said.err
    assert (library / "anna" / "takes" / "b.labels.txt").is_file()


def test_the_picture_is_one(library, recorded, tmp_path):
    image_module = pytest.importorskip("PIL.Image")
    make()
    assert run(["voices", "scan", "anna", "--no-bleed", "--png", "look.png"]) == 0
    with image_module.open(tmp_path / "look.png") as image:
        assert image.format == "PNG"
        assert image.width == 1200
        colours = image.convert("RGB").getcolors(100_000)
    assert len(colours) > 6


def test_json_is_one_value(library, recorded, capsys):
    make("--json")
    assert json.loads(capsys.readouterr().out)["rights"] == "synthetic"
    assert run(["voices", "scan", str(library / "anna"), "--no-bleed", "--json"]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert said.err == ""
    assert [take["take"] for take in report["takes"]] == ["a-long-name-of-a-take.wav", "b.flac"]
    assert report["takes"][0]["verdict"] == "ok"
    assert report["takes"][0]["cuts"]


def test_label_files_come_in(library, recorded, tmp_path, capsys):
    make()
    (tmp_path / "b.labels.txt").write_text("1\t6\tverse\n")
    assert run(["voices", "scan", "anna", "--no-bleed", "--labels", "b.labels.txt"]) == 0
    assert "cuts of b.flac are now those of b.labels.txt" in capsys.readouterr().err
    assert run(["voices", "scan", "anna", "--no-bleed", "--labels", "c.txt"]) == ExitCode.USAGE
    assert "there is no label track c.txt" in capsys.readouterr().err
    (tmp_path / "c.txt").write_text("1\t6\tverse\n")
    assert run(["voices", "scan", "anna", "--no-bleed", "--labels", "c.txt"]) == ExitCode.USAGE
    assert "named after no take" in capsys.readouterr().err


def test_the_list_shows_untrained_voices(library, recorded, capsys):
    make()
    capsys.readouterr()
    assert run(["voices", "list"]) == 0
    assert "takes only" in next(
        line for line in capsys.readouterr().out.splitlines() if line.startswith("anna")
    )
    run(["voices", "list", "--json"])
    entry = next(entry for entry in json.loads(capsys.readouterr().out) if entry["name"] == "anna")
    assert (entry["problem"], entry["card"]) == ("takes only", None)


@pytest.mark.parametrize(
    ("options", "code", "message", "hint"),
    [
        ([], ExitCode.USAGE, "a voice needs a rights line", "--rights own-voice, licensed or synthetic"),
        (["--rights", "own-voice"], ExitCode.PROJECT, "need a statement", "one sentence"),
        (["--rights", "borrowed"], ExitCode.USAGE, "'own-voice', 'licensed', 'synthetic'", "--help"),
        (["--rights", "synthetic", "--slice", "9-3"], ExitCode.USAGE, "--slice 9-3", "5-15"),
        (["--rights", "synthetic", "--slice", "long"], ExitCode.USAGE, "--slice long", "5-15"),
        (
            ["--rights", "synthetic", "none.wav"],
            ExitCode.AUDIO,
            "'none.wav' does not exist",
            "check the path",
        ),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    library, recorded, options, code, message, hint, capsys
):
    assert run(["voices", "new", "anna", "recorded", *options]) == code
    said = capsys.readouterr()
    errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert hint in said.err
    assert not library.exists()


def test_names_stay_in_the_library(library, recorded, capsys):
    for name in ("..", ".hidden", "a:b"):
        assert run(["voices", "new", name, "recorded", "--rights", "synthetic"]) == ExitCode.PROJECT
        assert "a plain name is expected" in capsys.readouterr().err


def test_there_already_wants_force(library, recorded, capsys, monkeypatch):
    make()
    assert make() == ExitCode.USAGE
    assert "replace its takes with --force" in capsys.readouterr().err
    assert make("--force") == 0

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr("click.confirm", lambda text, **_: asked.append(text))
    assert make() == 0
    assert asked == ["There is a voice 'anna' already. Replace its takes?"]


def test_an_unknown_voice_names_the_nearest(library, recorded, capsys):
    assert run(["voices", "scan", "ana"]) == ExitCode.PROJECT
    assert "covermaker voices new" in capsys.readouterr().err
    make()
    capsys.readouterr()
    assert run(["voices", "scan", "ana"]) == ExitCode.PROJECT
    assert "did you mean 'anna'?" in capsys.readouterr().err
    shutil.rmtree(library / "anna" / "takes")
    assert run(["voices", "scan", "anna"]) == ExitCode.AUDIO
    assert "is missing" in capsys.readouterr().err


def test_help_loads_nothing_heavy():
    script = "import sys; from covermaker.cli.main import run; run(['voices', 'new', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"torch", "scipy", "PIL", "soundfile", "rich", "covermaker.takes.scan"}


@pytest.mark.parametrize("place", ["~nosuch/anna", "x" * 300])
@pytest.mark.parametrize("command", [("voices", "new"), ("voices", "scan"), ("train",)])
def test_a_place_that_cannot_be(library, recorded, capsys, command, place):
    more = (str(recorded), "--rights", "synthetic") if command == ("voices", "new") else ()
    assert run([*command, place, *more]) == ExitCode.PROJECT
    error = capsys.readouterr().err
    assert "no voice can be at" in error or "leads nowhere" in error


def test_a_voice_is_thrown_away_and_comes_back(library, recorded, capsys, monkeypatch):
    assert make() == 0
    before = {file.name for file in (library / "anna").rglob("*")}
    assert run(["voices", "remove", "ann"]) == ExitCode.USAGE
    assert "did you mean 'anna'?" in capsys.readouterr().err
    assert run(["voices", "remove", "demo"]) == ExitCode.USAGE  # it is not in the library
    assert run(["voices", "remove", "anna"]) == 0
    assert not (library / "anna").exists()
    assert "anna" not in run_list(capsys)
    assert run(["voices", "restore"]) == 0
    assert "anna" in capsys.readouterr().out
    assert run(["voices", "restore", "anna"]) == 0
    after = {file.name for file in (library / "anna").rglob("*")}
    assert after == {*before, "training", LOCK_FILE}
    assert run(["voices", "restore", "anna"]) == ExitCode.USAGE


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda home: alone_in(home), "or stop it: covermaker voices stop anna"),
        (lambda home: alone_in(home, "an audition"), "an audition of 'anna' runs already"),
        (changing, "are being changed"),
    ],
)
def test_a_voice_that_is_worked_on_stays(library, recorded, capsys, monkeypatch, work, words):
    monkeypatch.setattr("covermaker.takes.lock._WAIT_SECONDS", 0.0)
    assert make() == 0
    capsys.readouterr()
    with work(library / "anna"):
        assert run(["voices", "remove", "anna"]) == ExitCode.RESOURCE
        assert words in capsys.readouterr().err
    assert (library / "anna").exists()


def test_nobody_begins_to_train_a_voice_that_is_being_removed(library, recorded, monkeypatch):
    assert make() == 0
    move, refused = Path.rename, []

    def meanwhile(self, target):
        if self.name == "anna":
            with pytest.raises(ResourceError, match="runs already"), alone_in(self):
                pass
            refused.append(self)
        return move(self, target)

    monkeypatch.setattr("covermaker.training.lock._PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(Path, "rename", meanwhile)
    assert run(["voices", "remove", "anna"]) == 0
    assert refused


@pytest.mark.parametrize("command", ["new", "add", "scan", "audition", "promote"])
def test_a_crash_in_native_code_is_a_sentence(library, recorded, capsys, monkeypatch, tmp_path, command):
    assert make() == 0
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("covermaker.cli.alone.launch", launch)
    monkeypatch.setattr(
        "covermaker.jobs.launch.COMMAND",
        (sys.executable, "-S", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"),
    )
    more = {"new": ["recorded", "--rights", "synthetic", "--force"], "add": ["recorded"], "promote": ["100"]}
    assert run(["voices", command, "anna", *more.get(command, [])]) == ExitCode.RESOURCE
    assert "error: the job crashed (SIGSEGV) in native code" in capsys.readouterr().err


def test_a_real_process_takes_in_and_scans(library, recorded, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("covermaker.cli.alone.launch", launch)
    assert make("--slice", "4-9.5") == 0
    assert "takes " in capsys.readouterr().err
    assert read_takes(library / "anna").slicing.max_seconds == 9.5
    assert run(["voices", "add", "anna", str(recorded / "c.wav")]) == ExitCode.AUDIO
    assert "'c.wav' does not exist" in capsys.readouterr().err.replace(str(recorded) + "/", "")
    assert read_takes(library / "anna").statement == ""


def run_list(capsys):
    capsys.readouterr()
    assert run(["voices", "list", "--json"]) == 0
    return [row["name"] for row in json.loads(capsys.readouterr().out)]


def test_no_voice_is_called_as_the_one_that_comes_along(library, recorded, capsys):
    for more in ((), ("--force",)):
        assert run(["voices", "new", "demo", "recorded", "--rights", "synthetic", *more]) == ExitCode.USAGE
        assert "'demo' is the voice that comes with Covermaker" in capsys.readouterr().err
    assert not (library / "demo").exists()
    assert run(["voices", "new", "./project/voices/demo", "recorded", "--rights", "synthetic"]) == 0
