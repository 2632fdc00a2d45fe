"""A voice that somebody else has trained, in a song: its rights are told, its encoder is the one that is here."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import soundfile

from covermaker.errors import WeightsError
from covermaker.features.encoders import content_fingerprint
from covermaker.graph.events import Note
from covermaker.graph.run import in_order
from covermaker.graph.store import Store
from covermaker.project.create import NewProject, create
from covermaker.render import exporting, tasks
from covermaker.render.pipeline import build
from covermaker.render.singers import ready
from covermaker.voices.card import read_card, write_card
from covermaker.voices.library import SHIPPED
from covermaker.voices.voice import Voice

SAID = "nobody has said whose voice 'guest' is, or that its singer agreed (rights: unknown): songs say so in their tags"


@pytest.fixture
def guest(tmp_path, monkeypatch):
    """A voice as an import writes it: nobody has spoken for it, and no file of its encoder is named."""
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "voices"))
    folder = tmp_path / "voices" / "guest"
    shutil.copytree(SHIPPED / "demo", folder)
    card = read_card(folder)
    content = card.content.model_copy(update={"sha256": None})
    write_card(card.model_copy(update={"name": "guest", "rights": "unknown", "content": content}), folder)
    return folder


@pytest.fixture
def asked(guest, tmp_path, monkeypatch):
    """Return a request for a project whose steps all lie in the store."""
    monkeypatch.setenv("COVERMAKER_CACHE", str(tmp_path / "cache"))
    song = tmp_path / "song.wav"
    soundfile.write(song, 0.1 * np.sin(np.arange(44_100 * 2) * 0.1), 44_100)
    project = create(song, tmp_path / "cover", NewProject("Song", "guest", [{"effect": "gain"}], {}, {}))
    store = Store(tmp_path / "store")
    river = build(project)
    for step in in_order([*river.steps(), river.mix_stems, river.music]):
        if store.get(step.key) is None:
            with store.making(step.key) as folder:
                (folder / "x").write_text("x")
                store.keep(step.key, folder, {"seconds": 1.5, "report": {}})
    return {"project": str(project.root), "store": str(store.root)}


def notes(job, request):
    told = []
    job(request, told.append)
    return [event.text for event in told if isinstance(event, Note)]


def test_a_song_sung_by_a_voice_that_nobody_spoke_for_says_so(asked):
    assert SAID in notes(tasks.render, {**asked, "until": "convert"})
    assert SAID in notes(tasks.render, {**asked, "until": "mix"})
    assert SAID not in notes(tasks.render, {**asked, "until": "separate"})


def test_stems_with_that_voice_say_so_and_others_do_not(asked, tmp_path):
    out = {"out": str(tmp_path / "out")}
    assert SAID in notes(exporting.export, {**asked, **out, "parts": ["stems"]})


def test_a_voice_that_somebody_spoke_for_needs_no_word(asked, guest):
    card = read_card(guest)
    write_card(card.model_copy(update={"rights": "synthetic"}), guest)
    assert notes(tasks.render, {**asked, "until": "convert"}) == []


def test_an_encoder_that_is_not_named_by_content_is_the_one_that_is_here(guest, asked):
    """Its card says no sha256: it sings with the file that is installed, and that file decides about its keys."""
    singer = ready(Voice.open(guest))
    assert singer.rights == "unknown"
    river, *_ = tasks.river_of(asked)
    (content,) = (step for step in river.steps() if step.kind == "content")
    assert content_fingerprint(singer.encoder) in content.weights.values()


def test_an_encoder_that_is_named_by_content_must_be_that_one(guest):
    card = read_card(guest)
    other = card.content.model_copy(update={"sha256": "0" * 64})
    write_card(card.model_copy(update={"content": other}), guest)
    with pytest.raises(WeightsError, match="was trained on another"):
        ready(Voice.open(guest))


def test_an_encoder_that_is_not_here_is_asked_for(guest, tmp_path, monkeypatch):
    monkeypatch.setenv("COVERMAKER_MODELS", str(tmp_path / "nothing"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "nothing"))
    monkeypatch.delenv("COVERMAKER_WEIGHTS_CONTENTVEC", raising=False)
    card = read_card(guest)
    other = card.content.model_copy(update={"encoder": "contentvec-768l12"})
    write_card(card.model_copy(update={"content": other}), guest)
    with pytest.raises(WeightsError, match=r"'contentvec' .* not installed") as caught:
        ready(Voice.open(guest))
    assert "covermaker models pull contentvec" in caught.value.hint
