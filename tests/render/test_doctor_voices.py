"""The doctor looks at every voice that is here, without loading any."""

import shutil

import pytest

from covermaker.render import doctor
from covermaker.render.doctor import Finding, examine
from covermaker.render.doctor_voices import voice_rows
from covermaker.voices.library import SHIPPED


@pytest.fixture
def library(tmp_path, monkeypatch):
    for name in ("COVERMAKER_VOICES", "COVERMAKER_MODELS", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path / "COVERMAKER_VOICES"


def put(library, name, old="", new=""):
    shutil.copytree(SHIPPED / "demo", library / name)
    card = library / name / "card.toml"
    text = card.read_text().replace('name = "demo"', f'name = "{name}"')
    assert old in text
    card.write_text(text.replace(old, new) if old else text)


def rows():
    return {stage: (ok, detail) for stage, ok, detail in voice_rows(but="demo")}


def test_only_the_voice_that_comes_along(library):
    assert rows() == {}


def test_an_encoder_that_is_missing_names_who_needs_it_and_how_to_get_it(library):
    for name in ("a", "b", "c", "d", "e", "f"):
        put(library, name, 'encoder = "whisper-base"', 'encoder = "contentvec-768l12"')
    found = rows()
    assert found["voices"] == (True, "6 more voices are whole, by their size")
    assert found["content: contentvec-768l12"] == (
        False, "not here, needed by a, b, c, d and 2 more: covermaker models pull contentvec",
    )  # fmt: skip


def test_a_voice_that_is_not_whole_has_a_line(library):
    put(library, "good")
    put(library, "gone")
    (library / "gone" / "voice.safetensors").unlink()
    put(library, "empty")
    (library / "empty" / "voice.safetensors").write_bytes(b"")
    put(library, "long")
    with (library / "long" / "voice.safetensors").open("ab") as file:
        file.write(b"\0")
    put(library, "odd", "sample_rate = 16000\n\n", "sample_rate = 7\n\n")
    put(library, "new", 'encoder = "whisper-base"', 'encoder = "whisper-huge"')
    found = rows()
    assert found["voice: gone"] == (False, "voice.safetensors is missing")
    assert found["voice: empty"] == (False, "voice.safetensors is empty")
    assert found["voice: long"] == (False, "voice.safetensors is damaged: it is longer than it says")
    assert found["voice: odd"][0] is False
    assert found["content: whisper-huge"][0] is False
    assert "needed by new" in found["content: whisper-huge"][1]
    assert found["voices"] == (True, "2 more voices are whole, by their size")


def test_they_are_among_what_doctor_finds_and_the_main_job_runs_without_them(library, monkeypatch):
    put(library, "a", 'encoder = "whisper-base"', 'encoder = "contentvec-768l12"')
    monkeypatch.setattr(doctor, "_probe", lambda name, code: Finding(name, True, True, "works"))
    found = {one.stage: one for one in examine("cpu")}
    one = found["content: contentvec-768l12"]
    assert (one.ok, one.needed) == (False, False)
