"""What the sizes of a voice's files tell."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from covermaker.voices.card import IndexPart, WeightsPart, read_card
from covermaker.voices.index import build_index
from covermaker.voices.whole import damage


@pytest.fixture
def voice(make_voice):
    folder = make_voice()
    save_file({"a": np.ones((3, 4), np.float32), "b": np.ones(5, np.float16)}, folder / "voice.safetensors")
    build_index(np.ones((4, 8), np.float16), folder / "index.npz", seed=0)
    card = read_card(folder)
    parts = {"weights": WeightsPart(sha256="0" * 64), "index": IndexPart(sha256="0" * 64)}
    return folder, card.model_copy(update=parts)


def test_what_covermaker_writes_is_whole(voice):
    assert damage(*voice) == ""


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("voice.safetensors", lambda data: data + b"\0", "is damaged: it is longer than it says"),
        ("voice.safetensors", lambda data: data[:-3], "is cut off"),
        ("voice.safetensors", lambda data: data[:5], "is damaged: it is no safetensors file"),
        ("voice.safetensors", lambda data: b"\xff" * 8 + data, "is damaged: it is no safetensors file"),
        ("voice.safetensors", lambda data: data[:8] + b"[" + data[9:], "is damaged: its head cannot be read"),
        ("voice.safetensors", lambda data: b"", "is empty"),
        ("index.npz", lambda data: data[:-1], "is damaged or cut off"),
        ("index.npz", lambda data: data + b"\0", "is damaged or cut off"),
        ("index.npz", lambda data: b"", "is empty"),
    ],
)
def test_what_was_cut_off_or_grew_is_seen(voice, file, change, words):
    path = voice[0] / file
    path.write_bytes(change(path.read_bytes()))
    assert damage(*voice) == f"{file} {words}"


def test_what_is_gone_is_named(voice):
    folder, card = voice
    (folder / "voice.safetensors").unlink()
    (folder / "index.npz").unlink()
    assert damage(folder, card) == "voice.safetensors is missing, index.npz is missing"
    (folder / "index.npz").mkdir()
    assert "index.npz cannot be read: " in damage(folder, card)
