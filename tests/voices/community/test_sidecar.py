"""What is known of a voice goes out beside its files, and comes back with these very files only."""

import json
import shutil
from dataclasses import replace

import pytest
from community_models import (
    RVC,
    SOVITS,
    save,
    save_config,
    save_index,
    small_model,
    sovits_config,
    training_state,
)

from covermaker.voices.card import F0Part, write_card
from covermaker.voices.community.give_out import give_out
from covermaker.voices.community.take_in import Wishes, take_in
from covermaker.voices.rights import given_out_words
from covermaker.voices.voice import Voice


@pytest.fixture(autouse=True)
def _library(own_library, tmp_path, monkeypatch):
    encoder = tmp_path / "hubert_base.pt"
    encoder.write_bytes(b"an encoder")
    monkeypatch.setenv("COVERMAKER_WEIGHTS_CONTENTVEC", str(encoder))


def known(folder):
    """Write onto a card what a training here would have known."""
    from covermaker.features.encoders import content_fingerprint

    card = Voice.open(folder).card
    content = card.content.model_copy(update={"sha256": content_fingerprint(card.content.encoder)})
    training = {name: value for name, value in card.training.items() if name != "f0_range"}
    update = {
        "rights": "licensed", "statement": "Anna agreed to covers.", "licence": "hers", "languages": ["en"],
        "f0": F0Part(low_hz=92.0, median_hz=157.8, high_hz=186.3, takes_median_hz=150.0), "content": content,
        "training": training,
    }  # fmt: skip
    write_card(card.model_copy(update=update), folder)
    return Voice.open(folder)


@pytest.fixture
def aria(tmp_path):
    save_index(tmp_path / "aria.index", 768)
    return known(take_in(Wishes(save(tmp_path / "aria.pth", small_model(RVC)))).folder)


def back(path, name="back", **wishes):
    done = take_in(Wishes(path, name=name, **wishes))
    return Voice.open(done.folder), done.notes


def test_a_voice_that_comes_back_is_the_same_for_every_key(aria, tmp_path):
    """A conversion draws its noise from its key, which has the voice's fingerprint: the same one sings the same."""
    done = give_out(aria, "rvc", tmp_path / "out")
    again, notes = back(done.files[0])
    assert again.fingerprint == aria.fingerprint
    said = ("rights", "statement", "licence", "languages", "f0", "content")
    assert [getattr(again.card, one) for one in said] == [getattr(aria.card, one) for one in said]
    assert "its rights are as they were written beside it: licensed: Anna agreed to covers." in notes


def test_so_vits_in_a_folder_and_in_an_archive(tmp_path):
    save_config(tmp_path / "anna" / "config.json", sovits_config())
    anna = known(take_in(Wishes(save(tmp_path / "anna" / "G_1.pth", training_state(SOVITS)))).folder)
    give_out(anna, "sovits", tmp_path / "out")
    archive = shutil.make_archive(str(tmp_path / "sent"), "zip", tmp_path / "out")
    for number, path in enumerate((tmp_path / "out" / "anna", tmp_path / "out", tmp_path / archive)):
        assert back(path, name=f"back{number}")[0].fingerprint == anna.fingerprint


def test_two_voices_of_so_vits_share_a_folder_and_come_back_by_their_names(tmp_path):
    for name in ("anna", "ben"):
        save_config(tmp_path / name / "config.json", sovits_config())
        done = take_in(Wishes(save(tmp_path / name / "G_1.pth", training_state(SOVITS))))
        give_out(Voice.open(done.folder), "sovits", tmp_path / "out")
    for name in ("anna", "ben"):
        found = take_in(Wishes(tmp_path / "out" / name / "G_0.pth", replace=True), dry_run=True)
        assert found.card.name == name


def test_what_the_person_says_counts_more(aria, tmp_path):
    done = give_out(aria, "rvc", tmp_path / "out")
    again, _ = back(done.files[0], rights="synthetic")
    assert (again.card.rights, again.card.statement) == ("synthetic", "")
    assert again.card.f0 == aria.card.f0


def test_without_it_nobody_knows(aria, tmp_path):
    done = give_out(aria, "rvc", tmp_path / "out")
    done.files[-1].unlink()
    again, _ = back(done.files[0])
    assert (again.card.rights, again.card.training["f0_range"]) == ("unknown", "assumed")
    assert again.fingerprint != aria.fingerprint


def test_it_says_nothing_of_another_file(aria, tmp_path):
    done = give_out(aria, "rvc", tmp_path / "out")
    save(done.files[0], small_model(replace(RVC, speakers=4)))
    again, notes = back(done.files[0])
    assert again.card.rights == "unknown"
    assert "aria.covermaker.json is of another file than the model: it is not heeded" in notes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rights": "stolen"}, ": rights cannot be meant and is not heeded: nobody says whose voice it is"),
        ({"statement": " "}, ": statement cannot be meant and is not heeded: nobody says who agreed"),
        ({"rights": ["licensed"]}, ": rights cannot be meant"),
        ({"f0": {"low_hz": -1.0}}, ": f0 cannot be meant and is not heeded: the range is assumed"),
        ({"f0": {"low_hz": "hello", "median_hz": 2.0, "high_hz": 3.0}}, ": f0 cannot be meant"),
        ({"f0": "A2"}, ": f0 cannot be meant"),
        ({"singers": [1, {}]}, ": singers cannot be meant and is not heeded"),
        ({"languages": 7}, ""),
        ({"content": {"encoder": "contentvec-768l12", "sha256": "0" * 64}}, ""),
        (
            {"schema": 2},
            " cannot be read (it is not of schema 1, which this Covermaker reads): it is not heeded",
        ),
    ],
)
def test_what_anybody_can_have_written_is_looked_at(aria, tmp_path, change, said):
    done = give_out(aria, "rvc", tmp_path / "out")
    values = json.loads(done.files[-1].read_text())
    done.files[-1].write_text(json.dumps({**values, **change}))
    again, notes = back(done.files[0])
    assert again.card.rights == ("unknown" if {"rights", "statement", "schema"} & set(change) else "licensed")
    assert any(note.startswith(f"aria.covermaker.json{said}") for note in notes) == bool(said)
    if "content" in change:  # another file of the same encoder must be able to sing with it
        assert again.card.content.sha256 is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no JSON, or cut off"), ("[]", "Covermaker did not write it"), ("{", "it is no JSON, or cut off"),
        ("\x00", "it is no JSON, or cut off"), ("{}" * 100_000, "it is larger than 65.5 kB"),
    ],
)  # fmt: skip
def test_what_is_none_does_no_harm_and_is_told(aria, tmp_path, text, why):
    done = give_out(aria, "rvc", tmp_path / "out")
    done.files[-1].write_text(text)
    again, notes = back(done.files[0])
    assert again.card.rights == "unknown"
    assert f"aria.covermaker.json cannot be read ({why}): it is not heeded" in notes


def test_what_is_damaged_beside_another_model_is_none_of_its_business(aria, tmp_path):
    done = give_out(aria, "rvc", tmp_path / "out")
    (tmp_path / "out" / "zoe.covermaker.json").write_text("{")
    again, notes = back(done.files[0])
    assert again.card.rights == "licensed"
    assert not [note for note in notes if "zoe" in note]


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ("unknown", "nobody has said whose voice 'aria' is"),
        ("licensed", "a singer who agreed: 'Anna agreed'."),
        ("own-voice", "whoever said: 'Anna agreed'."),
        ("synthetic", "nobody's voice"),
    ],
)
def test_rights_are_said_at_each_export(rights, words):
    assert words in given_out_words("aria", rights, "Anna agreed.")
    assert "songs say so in their tags" not in given_out_words("aria", rights, "x")
