"""A voice's identity is its sound: weights and sound-relevant fields, nothing else."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from covermaker.errors import ProjectError, WeightsError
from covermaker.voices.voice import Voice


def test_renaming_does_not_change_the_fingerprint(make_voice, tmp_path):
    first = Voice.open(make_voice(name="demo"))
    moved = Voice.open(
        make_voice(tmp_path / "elsewhere", "other", replace={'name = "demo"': 'name = "other"'})
    )
    assert first.fingerprint == moved.fingerprint
    assert (first.name, moved.name) == ("demo", "other")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('description = "a voice of tests"', 'description = "better words"'),
        ('licence = "CC0"', 'licence = "CC-BY-4.0"'),
        ("steps = 100", "steps = 200"),
        ("created = 2026-01-31", "created = 2026-02-01"),
    ],
)
def test_words_do_not_change_the_fingerprint(make_voice, old, new):
    before = Voice.open(make_voice(name="a")).fingerprint
    assert Voice.open(make_voice(name="b", replace={old: new})).fingerprint == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hidden = 128", "hidden = 129"),
        ("sample_rate = 16000", "sample_rate = 24000"),
        ("median_hz = 200.0", "median_hz = 201.0"),  # decides the automatic transposition
        ("0" * 64, "1" * 64),
    ],
)
def test_sound_changes_the_fingerprint(make_voice, old, new):
    before = Voice.open(make_voice(name="a")).fingerprint
    assert Voice.open(make_voice(name="b", replace={old: new})).fingerprint != before


def test_new_weights_under_the_same_name_change_the_fingerprint(make_voice):
    before = Voice.open(make_voice(weights=b"first")).fingerprint
    assert Voice.open(make_voice(weights=b"second")).fingerprint != before


def test_the_weight_files_name_is_no_sound(make_voice):
    before = Voice.open(make_voice(name="a")).fingerprint
    folder = make_voice(name="b", replace={"voice.safetensors": "v2.safetensors"})
    (folder / "voice.safetensors").rename(folder / "v2.safetensors")
    assert Voice.open(folder).fingerprint == before


def test_weights_that_are_not_the_cards(make_voice):
    folder = make_voice()
    (folder / "voice.safetensors").write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()[:12]
    voice = Voice.open(folder)
    with pytest.raises(WeightsError, match=f"not the ones of its card: sha256 {found}"):
        voice.synthesizer()
    with pytest.raises(WeightsError, match="not the ones of its card"):
        _ = voice.fingerprint


def test_missing_weights(make_voice):
    folder = make_voice()
    (folder / "voice.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"has no weights: .* is missing \(copy the whole voice folder"):
        Voice.open(folder).verify()


def test_unknown_network_kind(make_voice):
    voice = Voice.open(make_voice(replace={'kind = "ddsp"': 'kind = "wavenet"'}))
    with pytest.raises(ProjectError, match=r"needs a network 'wavenet' that is not installed \(known: ddsp"):
        voice.synthesizer()


SPEAKER = {"[training]": '[speaker]\nembedding = "embedding.npy"\n[training]'}


def test_speaker_embedding(make_voice):
    assert Voice.open(make_voice(name="a")).embedding() is None
    folder = make_voice(name="b", replace=SPEAKER)
    np.save(folder / "embedding.npy", np.linspace(0, 1, 256))
    embedding = Voice.open(folder).embedding()
    assert embedding.dtype == np.float32
    assert embedding.shape == (256,)


@pytest.mark.parametrize("content", [np.zeros(255), np.full(256, np.nan), np.array([{"a": 1}])])
def test_speaker_embedding_refused(make_voice, content):
    folder = make_voice(replace=SPEAKER)
    np.save(folder / "embedding.npy", content, allow_pickle=True)
    with pytest.raises(WeightsError, match="speaker embedding"):
        Voice.open(folder).embedding()


def test_speaker_embedding_missing(make_voice):
    with pytest.raises(WeightsError, match="cannot be read"):
        Voice.open(make_voice(replace=SPEAKER)).embedding()


def test_listing_and_fingerprints_load_no_torch():
    code = (
        "import sys\n"
        "from covermaker.voices.library import list_voices\n"
        "import covermaker.voices.voice\n"
        "list_voices()\n"
        "assert not {'torch', 'scipy', 'safetensors'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
