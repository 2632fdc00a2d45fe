"""Several singers in one network: rows of a table, and blends of them."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny_training import SIZE, run_tiny, two_vowels

from covermaker.errors import ProjectError
from covermaker.training import heldout
from covermaker.training.audition import promote
from covermaker.training.character import network_config, speaker_embedding
from covermaker.training.checkpoint import steps_kept
from covermaker.training.heldout import split_off
from covermaker.training.material import Source
from covermaker.training.sung import LISTING
from covermaker.voices.card import read_card
from covermaker.voices.networks.ddsp import DdspSynthesizer
from covermaker.voices.networks.ddsp_network import DdspNetwork


@pytest.fixture(scope="module")
def singer() -> DdspSynthesizer:
    torch.manual_seed(2)
    network = DdspNetwork(network_config(16_000, 4, 3, SIZE))
    torch.nn.init.normal_(network.speaker_in.weight, std=2.0)
    torch.nn.init.normal_(network.out.weight, std=0.3)
    return DdspSynthesizer(network)


def sing(singer: DdspSynthesizer, speaker: object) -> np.ndarray:
    f0_hz = np.full(30, 220.0)
    return singer.render(
        np.ones((30, 4), np.float32), singer.pitch(f0_hz), np.full(30, -20.0),
        first_frame=0, seed=1, speaker=speaker,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_blend_of_one_is_that_one_and_a_real_blend_is_neither(singer: DdspSynthesizer) -> None:
    first, second = sing(singer, 0), sing(singer, 1)
    assert not np.allclose(first, second, atol=1e-4)
    assert np.allclose(sing(singer, [1.0, 0.0, 0.0]), first, atol=1e-6)
    assert np.allclose(sing(singer, [2.0, 2.0, 0.0]), sing(singer, [0.5, 0.5, 0.0]), atol=1e-6)
    both = sing(singer, [0.5, 0.5, 0.0])
    assert not np.allclose(both, first, atol=1e-4)
    assert not np.allclose(both, second, atol=1e-4)


@pytest.mark.parametrize("speaker", [3, -1, [1.0], [0.0, 0.0, 0.0], [1.0, -0.5, 0.0]])
def test_singers_that_are_not_there_are_refused(singer: DdspSynthesizer, speaker: object) -> None:
    with pytest.raises(ProjectError, match="singer"):
        sing(singer, speaker)


def test_the_card_names_the_singers_of_a_trained_voice(tmp_path: Path) -> None:
    run_tiny(tmp_path, singers=("anna", "ben"), steps=8, saves=2)
    assert read_card(tmp_path).singers == ["anna", "ben"]
    first = steps_kept(tmp_path / "training" / "checkpoints")[0]
    assert promote(tmp_path, first).singers == ["anna", "ben"]


def test_a_voice_of_one_names_none(tmp_path: Path) -> None:
    run_tiny(tmp_path, steps=4, saves=1)
    assert read_card(tmp_path).singers == []


def sources() -> list[Source]:
    return [
        Source(Path(f"{n}.wav"), hashlib.sha256(str(n).encode()).hexdigest(), 5.0 + n % 7, speaker=n % 3 // 2)
        for n in range(60)
    ]


def test_every_singer_keeps_takes_of_their_own_out() -> None:
    trained, held = split_off(sources(), 24.0, 1)
    assert {source.speaker for source in held} == {0, 1}
    for speaker in (0, 1):
        assert 4.0 < sum(source.seconds for source in held if source.speaker == speaker) <= 12.0
    assert len(trained) + len(held) == 60
    assert not set(trained) & set(held)


def test_held_out_phrases_are_sung_by_their_own_singer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each singer's clips become that singer's tests, moved around that singer's own middle."""
    written = []

    def pair(held: list[Source], kind: str, source: Path, target: Path, *more: object) -> int:
        written.append((source.name, {one.speaker for one in held}, more[1]))
        return -3

    monkeypatch.setattr(heldout, "_write_pair", pair)
    _, held = split_off(sources(), 24.0, 1)
    facts = {"sample_rate": 16_000, "seed": 1}
    heldout.write_phrases(held, tmp_path, medians_hz=(220.0, 110.0), singers=["anna", "ben"], **facts)
    assert written == [
        ("spoken-anna-source.wav", {0}, 220.0), ("sung-anna-source.wav", {0}, 220.0),
        ("spoken-ben-source.wav", {1}, 110.0), ("sung-ben-source.wav", {1}, 110.0),
    ]  # fmt: skip
    listing = json.loads((tmp_path / LISTING).read_text())
    assert listing["sung-ben"] == {"semitones": -3, "singer": "ben"}
    heldout.write_phrases(held[:1], tmp_path, medians_hz=(220.0,), singers=["anna"], **facts)
    assert json.loads((tmp_path / LISTING).read_text())["spoken"] == {"semitones": -3, "singer": None}


@pytest.mark.parametrize("singer", ["anna", "ben", None])
def test_a_phrase_asks_for_its_singer(monkeypatch: pytest.MonkeyPatch, singer: str | None) -> None:
    asked = []
    monkeypatch.setattr(
        "covermaker.convert.convert.convert_vocal",
        lambda *_, settings, **__: asked.append(settings and dict(settings.singers)),
    )
    here = Path("x.wav")
    phrase = heldout.Phrase("spoken", singer, here, here, 0, *[None] * 7)  # type: ignore[arg-type]
    heldout.convert_phrase(phrase, None, here)  # type: ignore[arg-type]
    assert asked == [{singer: 1.0} if singer else None]


def test_the_embedding_is_the_first_singers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []

    def embed(path: Path) -> np.ndarray:
        heard.append(soundfile.read(path)[0])
        return np.ones(256, np.float32)

    monkeypatch.setattr("covermaker.evaluate.speaker_encoder.embed", embed)
    dataset = two_vowels()
    dataset.examples = [
        replace(example, speaker=index % 2, target=np.full_like(example.target, 0.1 + 0.1 * (index % 2)))
        for index, example in enumerate(dataset.examples)
    ]
    speaker_embedding(dataset, tmp_path)
    assert np.allclose(heard[0], 0.1)
