from __future__ import annotations

import socket

import numpy as np
import pytest
import soundfile

from covermaker.errors import UsageError, WeightsError
from covermaker.evaluate import words
from covermaker.evaluate.words import character_error_rate, read_lyrics, split_words, word_recall

TEXT = "It always seems like time stands still when I am with you"  # what `speak` says


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("something tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_clear_voice_is_read_without_any_network(speak, no_network):
    lyrics = read_lyrics(speak("slt"))
    assert lyrics.language == "en"
    assert word_recall(split_words(TEXT), lyrics.words) >= 0.9
    assert lyrics == read_lyrics(speak("slt"), language="en")


@pytest.mark.slow
def test_long_vocals_are_read_in_windows_cut_in_the_pauses(speak, write_wav, monkeypatch):
    """Five sentences of 3.7 s with pauses, in windows of at most 10 s: no sentence is lost or read twice."""
    monkeypatch.setattr(words, "WINDOW_FRAMES", 1000)
    monkeypatch.setattr(words, "CUT_FRAMES", 600)
    sound, rate = soundfile.read(speak("slt"))
    pause = np.zeros(rate)
    told = []
    path = write_wav(np.concatenate([sound, pause] * 5), rate)
    read = read_lyrics(path, language="en", progress=told.append).words
    assert word_recall(split_words(TEXT) * 5, read) >= 0.9
    assert len(read) <= 5 * len(split_words(TEXT)) + 3
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


@pytest.mark.parametrize("frames", [1, 16000, 70 * 16000])
def test_silence_has_no_words_and_no_language(write_wav, frames):
    lyrics = read_lyrics(write_wav(np.zeros(frames)))
    assert lyrics.words == ()
    assert lyrics.language is None


def test_windows_cover_everything_once(write_wav):
    rng = np.random.default_rng(4)
    level = rng.uniform(-60, 0, 12_345).astype(np.float32)
    cuts = words._cuts(level)
    assert cuts[0] == 0
    assert cuts[-1] == len(level)
    sizes = np.diff(cuts)
    assert sizes.max() <= 3000
    assert sizes[:-1].min() >= 2000
    sound = np.arange(123_450 * 16 // 10, dtype=np.float32) / 1e6
    parts = [
        part for _, _, part in words._windows(write_wav(sound), words.frame_loudness_db(write_wav(sound)))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), sound)


def test_an_unknown_language_is_refused(speak):
    with pytest.raises(UsageError, match="knows no language 'xx'"):
        read_lyrics(speak("slt"), language="xx")


def test_a_folder_without_a_model_is_named_and_no_hub_is_asked(speak, tmp_path, monkeypatch, no_network):
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt", "vocabulary.json"):
        (tmp_path / name).write_bytes(b"{}")
    monkeypatch.setenv("COVERMAKER_WEIGHTS_WHISPER_BASE", str(tmp_path))
    with pytest.raises(WeightsError, match="Whisper cannot be loaded from"):
        read_lyrics(speak("slt"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('It\'s a "test", don\u2019t\u2014stop!', ["it's", "a", "test", "don't", "stop"]),
        ("  ", []),
        ("'quoted' rock_roll", ["quoted", "rock", "roll"]),
        ("Straße ÉTÉ e\u0301te\u0301", ["strasse", "été", "été"]),
        ("君の名 is ok", ["君", "の", "名", "is", "ok"]),
        ("\uff46\uff55\uff4c\uff4c \uff13", ["full", "3"]),
    ],
)
def test_words_are_comparable(text, expected):
    assert split_words(text) == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "share"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "", 0.0),
        ("a b c d", "x a y b z c d", 1.0),
        ("a b c d", "d c b a", 0.25),
        ("a a a", "a", 1 / 3),
        ("a", "a a a", 1.0),
        ("a b a b", "b a b", 0.75),
    ],
)
def test_recall_counts_words_in_order_once(reference, hypothesis, share):
    assert word_recall(reference.split(), hypothesis.split()) == pytest.approx(share)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        (["kitten"], ["sitting"], 3 / 6),
        (["to", "day"], ["today"], 0.0),
        (["abc"], [], 1.0),
        (["ab"], ["abxyzw"], 2.0),
        (["flaw"], ["lawn"], 2 / 4),
    ],
)
def test_character_errors_are_levenshtein(reference, hypothesis, rate):
    assert character_error_rate(reference, hypothesis) == pytest.approx(rate)


def test_recall_and_errors_against_the_plain_tables():
    rng = np.random.default_rng(9)
    for _ in range(30):
        a = ["abcd"[i] for i in rng.integers(0, 4, rng.integers(1, 12))]
        b = ["abcd"[i] for i in rng.integers(0, 4, rng.integers(0, 12))]
        common = np.zeros((len(a) + 1, len(b) + 1))
        edit = np.add.outer(np.arange(len(a) + 1), np.arange(len(b) + 1))
        for i, j in np.ndindex(len(a), len(b)):
            same = a[i] == b[j]
            common[i + 1, j + 1] = common[i, j] + 1 if same else max(common[i, j + 1], common[i + 1, j])
            edit[i + 1, j + 1] = min(edit[i, j] + (not same), edit[i, j + 1] + 1, edit[i + 1, j] + 1)
        assert word_recall(a, b) == pytest.approx(common[-1, -1] / len(a))
        assert character_error_rate(a, b) == pytest.approx(edit[-1, -1] / len(a))


def test_nothing_to_compare_with_is_said():
    with pytest.raises(ValueError, match="no reference words"):
        word_recall([], ["a"])
    with pytest.raises(ValueError, match="no reference words"):
        character_error_rate([], ["a"])
