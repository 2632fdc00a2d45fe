from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from covermaker.errors import WeightsError
from covermaker.evaluate.similarity import similarity
from covermaker.evaluate.speaker_encoder import NoVoiceError, embed, embed_mel, speaker_mel

REFERENCE = Path(__file__).with_name("speaker_reference.npz")


def test_it_is_the_published_encoder():
    """2.1 s of the voice slt and what Resemblyzer 0.1.4 says of exactly these samples."""
    with np.load(REFERENCE) as reference:
        sound, theirs = reference["sound"].astype(np.float32) / 32768, reference["embedding"]
    ours = embed_mel(speaker_mel([sound], len(sound)), len(sound))
    assert similarity(ours, theirs) > 0.99999
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("size", [1, 159, 4001])
def test_blocks_do_not_matter(size):
    sound = np.random.default_rng(0).standard_normal(8003).astype(np.float32)
    pieces = [sound[at : at + size] for at in range(0, len(sound), size)]
    np.testing.assert_allclose(speaker_mel(pieces, 8003), speaker_mel([sound], 8003), rtol=1e-5)


def test_an_embedding_has_length_one(speak):
    embedding = embed(speak("slt"))
    assert embedding.shape == (256,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    assert (embedding >= 0).all()


def test_one_voice_is_nearer_to_itself_than_to_others(speak):
    other_text = "The harbour was blue and the morning wind had gone to sleep"
    first = {voice: embed(speak(voice)) for voice in ("slt", "rms", "awb")}
    second = {voice: embed(speak(voice, other_text)) for voice in first}
    for voice in first:
        own = similarity(first[voice], second[voice])
        assert own > 0.8
        assert all(own > similarity(first[voice], second[other]) + 0.1 for other in first if other != voice)


def test_level_rate_channels_and_silence_hardly_matter(spoken, write_wav):
    sound, rate = spoken
    plain = embed(write_wav(sound, rate))
    quiet = embed(write_wav(0.01 * np.stack([sound, sound], axis=1), rate))
    padded = embed(write_wav(np.concatenate([np.zeros(3 * rate), sound, np.zeros(5 * rate)]), rate))
    upsampled = embed(write_wav(np.repeat(sound, 3), 3 * rate))
    assert similarity(plain, quiet) > 0.9999
    assert similarity(plain, padded) > 0.99
    assert similarity(plain, upsampled) > 0.95


def test_progress_rises_to_one(speak):
    told = []
    embed(speak("slt"), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("frames", [1, 1000, 160_000])
def test_silence_and_crumbs_are_nobody(write_wav, frames):
    with pytest.raises(NoVoiceError, match=r"vocal\.wav holds no voice"):
        embed(write_wav(np.zeros(frames)))


def test_a_tenth_of_a_second_is_nobody_either(spoken, write_wav):
    sound, rate = spoken
    with pytest.raises(NoVoiceError):
        embed(write_wav(sound[8000:8800], rate))


def test_a_short_word_is_enough(spoken, write_wav):
    sound, rate = spoken
    assert np.linalg.norm(embed(write_wav(sound[8000:16000], rate))) == pytest.approx(1, abs=1e-5)


def test_wrong_weights_are_named(speak, tmp_path, monkeypatch):
    path = tmp_path / "speaker.pt"
    path.write_bytes(b"nothing of the kind")
    monkeypatch.setenv("COVERMAKER_WEIGHTS_GE2E_SPEAKER", str(path))
    with pytest.raises(WeightsError, match="holds no GE2E speaker weights"):
        embed(speak("slt"))


def test_cosines():
    a = np.array([1.0, 0.0])
    assert similarity(a, a) == 1
    assert similarity(a, np.array([0.0, 2.0])) == 0
    assert similarity(a, np.array([1.0, 1.0])) == pytest.approx(0.5**0.5)
    assert similarity(a, np.zeros(2)) == 0
