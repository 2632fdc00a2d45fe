"""``covermaker voices import`` and ``export``: as a person types them."""

import json
import os

import pytest
from community_models import (
    RVC,
    SOVITS,
    clusters,
    save,
    save_config,
    save_index,
    small_model,
    sovits_config,
    training_state,
)

from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.voices.library import find_voice


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch, jobs_here):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "library"


@pytest.fixture
def miku(tmp_path):
    save_index(tmp_path / "miku.index", 768)
    return save(tmp_path / "miku.pth", small_model())


def test_a_voice_comes_in_and_says_what_it_is_and_what_is_missing(miku, library, capsys):
    assert run(["voices", "import", "miku.pth"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "voice    miku",
        f"folder   {library / 'miku'}",
        "what     RVC v2, 40 kHz (miku.pth)",
        "content  contentvec-768l12",
        "index    120 rows of miku.index",
        "rights   unknown",
        "next: covermaker convert VOCAL --voice miku",
    ]
    assert "note: nobody has said whose voice 'miku' is" in said.err
    assert "note: to sing, it needs 'contentvec', which is not here: " in said.err
    assert "covermaker models pull contentvec" in said.err
    assert run(["voices", "list"]) == 0
    assert "A2-A4?" in capsys.readouterr().out
    assert run(["voices", "show", "miku"]) == 0
    assert "assumed" in capsys.readouterr().out


def listed(capsys):
    capsys.readouterr()
    assert run(["voices", "list", "--json"]) == 0
    return {row["name"]: row["problem"] for row in json.loads(capsys.readouterr().out)}


def test_the_list_says_what_keeps_a_voice_from_singing(miku, library, capsys):
    assert run(["voices", "import", "miku.pth"]) == 0
    missing = "contentvec-768l12 is not here: covermaker models pull contentvec"
    assert listed(capsys) == {"miku": missing, "demo": None}
    (library / "miku" / "index.npz").unlink()
    assert listed(capsys)["miku"] == "index.npz is missing"
    with (library / "miku" / "voice.safetensors").open("ab") as file:
        file.write(b"x")
    words = "voice.safetensors is damaged: it is longer than it says, index.npz is missing"
    assert listed(capsys)["miku"] == words
    assert run(["voices", "list"]) == 0
    assert words in capsys.readouterr().out


def test_a_voice_whose_index_is_gone_is_refused_before_the_first_step(miku, library, capsys, tmp_path):
    import numpy as np
    import soundfile

    assert run(["voices", "import", "miku.pth"]) == 0
    soundfile.write(tmp_path / "vocal.wav", np.zeros(8000), 16000)
    (library / "miku" / "index.npz").unlink()
    capsys.readouterr()
    command = ["convert", "vocal.wav", "--voice", "miku", "--store", "store"]
    assert run(command) == ExitCode.WEIGHTS
    assert "error: the voice 'miku' cannot sing: index.npz is missing" in capsys.readouterr().err
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


def test_a_rehearsal_writes_nothing(miku, library, capsys):
    assert run(["voices", "import", "miku.pth", "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["name"], said["card"]["origin"]) == ("miku", "imported: RVC v2, 40 kHz (miku.pth)")
    assert "weights" not in said["card"]
    assert not library.exists()
    assert run(["voices", "import", "miku.pth", "--dry-run"]) == 0
    assert "(not written)" in capsys.readouterr().out


def test_a_rehearsal_says_what_the_file_is_and_then_that_the_name_is_taken(miku, library, capsys):
    assert run(["voices", "import", "miku.pth", "--name", "demo", "--dry-run"]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert "what     RVC v2, 40 kHz (miku.pth)" in said.out
    assert "error: 'demo' is the voice that comes with Covermaker" in said.err
    assert not library.exists()
    assert run(["voices", "import", "miku.pth"]) == 0
    before = (library / "miku" / "card.toml").stat().st_mtime_ns
    capsys.readouterr()
    assert run(["voices", "import", "miku.pth", "--dry-run", "--json"]) == ExitCode.USAGE
    assert json.loads(capsys.readouterr().out)["problem"] == "there is a voice 'miku' already"
    assert (library / "miku" / "card.toml").stat().st_mtime_ns == before


def test_what_is_said_of_a_voice_goes_onto_its_card(miku):
    command = [
        "voices",
        "import",
        "miku.pth",
        "--name",
        "rin",
        "--rights",
        "licensed",
        "--statement",
        "She agreed.",
    ]
    assert run(command) == 0
    card = find_voice("rin").card
    assert (card.rights, card.statement, card.licence) == ("licensed", "She agreed.", "as the statement says")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["nothing.pth"], ExitCode.USAGE, "there is no file"),
        (["miku.pth", "--rights", "own-voice"], ExitCode.USAGE, "rights 'own-voice' need a statement"),
        (["miku.pth", "--rights", "stolen"], ExitCode.USAGE, "stolen"),
        (["miku.index"], ExitCode.WEIGHTS, "is the index of a voice, not its model"),
        (["miku.pth", "--index", "miku.pth"], ExitCode.WEIGHTS, "miku.pth is a checkpoint, and no index"),
        (["miku.pth", "--clusters", "miku.index"], ExitCode.WEIGHTS, "clusters are of so-vits-svc"),
        (["duet/G_1.pth", "--clusters", "miku.index"], ExitCode.WEIGHTS, "is an index, and no cluster model"),
        (["miku.pth", "--name", "demo"], ExitCode.USAGE, "comes with Covermaker"),
        (["miku.pth", "--name", "a:b"], ExitCode.PROJECT, "a plain name is expected"),
        (["."], ExitCode.USAGE, "2 models: miku.pth, rin.pth"),
    ],
)
def test_what_is_refused_says_why(miku, library, capsys, options, code, words):
    save(miku.with_name("rin.pth"), small_model())
    if options[0].startswith("duet"):
        save(miku.parent / "duet" / "G_1.pth", training_state(SOVITS))
    assert run(["voices", "import", *options]) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not library.exists()


def test_a_voice_that_is_there_is_replaced_when_asked(miku, library, capsys):
    assert run(["voices", "import", "miku.pth"]) == 0
    assert run(["voices", "import", "miku.pth"]) == ExitCode.USAGE
    assert "replace it with --force" in capsys.readouterr().err
    assert run(["voices", "import", "miku.pth", "--force", "--json"]) == 0
    assert "what was 'miku' is in the trash" in json.loads(capsys.readouterr().out)["notes"]
    assert run(["voices", "remove", "miku"]) == 0
    assert run(["voices", "restore", "miku"]) == 0


def test_so_vits_in_and_out(tmp_path, capsys):
    home = tmp_path / "duet"
    save(home / "G_1.pth", training_state(SOVITS))
    save_config(home / "config.json", sovits_config(spk={"anna": 0, "ben": 1}))
    save(home / "k.pt", clusters(768, "anna", "ben"))
    assert run(["voices", "import", "duet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["card"]["singers"] == ["anna", "ben"]
    assert run(["voices", "export", "duet", "--format", "sovits", "--out", "out"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "out/duet/G_0.pth", "out/duet/config.json", "out/duet/kmeans_5.pt", "out/duet/G_0.covermaker.json",
    ]  # fmt: skip
    assert "rights: unknown" in said.err
    assert run(["voices", "export", "duet", "--format", "sovits", "--out", "out"]) == ExitCode.USAGE
    assert "is there already" in capsys.readouterr().err
    assert run(["voices", "export", "duet", "--format", "sovits", "--out", "out", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0] == str(tmp_path / "out" / "duet" / "G_0.pth")
    assert run(["voices", "export", "duet", "--format", "rvc", "--out", "out2"]) == ExitCode.USAGE
    assert "cannot be a file of RVC" in capsys.readouterr().err
    assert run(["voices", "export", "demo", "--format", "rvc", "--out", "out2"]) == ExitCode.USAGE
    assert "Covermaker's own network" in capsys.readouterr().err


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_trap_is_refused_in_one_sentence(tmp_path, library, capsys):
    for legacy in (True, False):
        content = {**small_model(RVC), "info": Trap(tmp_path / "sprung")}
        save(tmp_path / "miku.pth", content, legacy=legacy)
        assert run(["voices", "import", "miku.pth"]) == ExitCode.WEIGHTS
        error, hint = capsys.readouterr().err.splitlines()
        assert error == f"error: {tmp_path / 'miku.pth'} is more than weights: it asks for posix.mkdir"
        assert hint.strip() == "nothing of it was run; take a file from a source that you trust"
    assert not (tmp_path / "sprung").exists()
    assert not library.exists()
