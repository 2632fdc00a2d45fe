"""What a newcomer types first about voices: help alone, names and paths, what is missing, files without a format."""

import json

import pytest
from community_models import SOVITS, save, save_config, save_index, small_model, sovits_config, training_state

from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.voices.library import find_voice


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch, jobs_here):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "library"))
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    save_index(tmp_path / "work" / "miku.index", 768)
    save(tmp_path / "work" / "miku.pth", small_model())
    return tmp_path / "library"


@pytest.mark.parametrize("group", ["voices", "models", "presets"])
def test_a_group_alone_prints_its_help(group, capsys):
    assert run([group]) == ExitCode.OK
    said = capsys.readouterr()
    assert said.out.startswith(f"Usage: covermaker {group}")
    assert "error" not in said.err


@pytest.mark.parametrize("name", ["a/b", "a/../b", "-x", "./-x"])
@pytest.mark.parametrize("command", ["import", "new"])
def test_a_name_that_is_no_name_is_refused(name, command, library, tmp_path, capsys):
    line = ["import", "miku.pth", f"--name={name}"]
    if command == "new":
        line = ["new", "--rights", "synthetic", "--", name, "miku.pth"]
    assert run(["voices", *line]) == ExitCode.USAGE
    assert "is no name for a voice" in capsys.readouterr().err
    assert not library.exists()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["miku.index", "miku.pth"]


def test_a_voice_at_a_clear_path_is_found_by_what_the_next_step_says(tmp_path, library, capsys):
    assert run(["voices", "import", "miku.pth", "--name", "../zz top"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"next: covermaker convert VOCAL --voice '{tmp_path / 'zz top'}'"
    assert find_voice(str(tmp_path / "zz top")).card.name == "zz top"
    assert not library.exists()
    assert run(["voices", "remove", "../zz top"]) == ExitCode.PROJECT
    said = " ".join(capsys.readouterr().err.split())
    assert "zz top is not in your library" in said
    assert "delete it yourself" in said
    assert run(["voices", "remove", "../nobody"]) == ExitCode.USAGE
    assert "there is no voice in " in capsys.readouterr().err


def test_a_name_with_a_space_is_quoted_in_the_next_step(capsys):
    assert run(["voices", "import", "miku.pth", "--name", "Aria Two!"]) == 0
    assert capsys.readouterr().out.endswith("next: covermaker convert VOCAL --voice 'Aria Two!'\n")


def test_show_says_what_a_person_wants(library, tmp_path, monkeypatch, capsys):
    assert run(["voices", "import", "miku.pth"]) == 0
    capsys.readouterr()
    assert run(["voices", "show", "miku"]) == 0
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert said["content"] == "contentvec-768l12 (not here: covermaker models pull contentvec)"
    assert said["index"] == "120 rows (index.npz)"
    assert said["network"] == "vits of RVC, 40 kHz"
    assert said["range"] == "A2 to A4 (110 to 440 Hz, assumed: nobody measured it)"
    assert not {"schema_", "sha256", "speaker"} & set(said)
    assert not any("None" in words for words in said.values())
    (tmp_path / "hubert_base.pt").write_bytes(b"weights")
    monkeypatch.setenv("COVERMAKER_WEIGHTS_CONTENTVEC", str(tmp_path / "hubert_base.pt"))
    assert run(["voices", "show", "miku"]) == 0
    assert "contentvec-768l12 (here)" in capsys.readouterr().out


def test_show_tells_an_index_that_is_gone_and_one_that_never_was(library, capsys):
    assert run(["voices", "import", "miku.pth"]) == 0
    (library / "miku" / "index.npz").unlink()
    assert run(["voices", "show", "miku"]) == 0
    assert "missing: index.npz" in capsys.readouterr().out
    assert run(["voices", "show", "demo"]) == 0
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert said["index"] == "none"


def test_json_keeps_the_whole_card(capsys):
    assert run(["voices", "import", "miku.pth"]) == 0
    capsys.readouterr()
    assert run(["voices", "show", "miku", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["network"]["config"]["family"] == "rvc"
    assert said["missing_weights"] == ["contentvec"]
    assert {"schema_", "weights", "speaker", "fingerprint", "folder"} <= set(said)


def test_files_are_given_out_in_the_only_format_there_is(tmp_path, capsys):
    assert run(["voices", "import", "miku.pth", "--rights", "licensed", "--statement", "She agreed."]) == 0
    capsys.readouterr()
    assert run(["voices", "export", "miku", "--out", "out"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["out/miku.pth", "out/miku.index", "out/miku.covermaker.json"]
    assert "note: it is the voice of a singer who agreed: 'She agreed'." in said.err
    save_config(tmp_path / "anna" / "config.json", sovits_config())
    save(tmp_path / "anna" / "G_1.pth", training_state(SOVITS))
    assert run(["voices", "import", str(tmp_path / "anna"), "--rights", "synthetic"]) == 0
    capsys.readouterr()
    assert run(["voices", "export", "anna", "--out", "out"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "out/anna/G_0.pth"
    assert "nobody's voice, a machine's" in said.err
    assert run(["voices", "export", "demo", "--out", "out"]) == ExitCode.USAGE
    assert "Covermaker's own network" in capsys.readouterr().err
