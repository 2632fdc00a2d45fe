"""Settings of imported voices in a project: old projects keep their keys, what a voice cannot do is refused early."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from covermaker.documents.document import PlaceError
from covermaker.graph.step import Outside, Step
from covermaker.project.document import Convert
from covermaker.render.singers import Singer, Trainee, check_singing, learner, ready, singer_notes
from covermaker.render.singing import convert_step, heard
from covermaker.render.singwork import conversion
from covermaker.training.profiles import PROFILES
from covermaker.voices.card import IndexPart, NetworkPart
from covermaker.voices.library import SHIPPED
from covermaker.voices.voice import Voice


def singer_of(**network):
    voice = Voice.open(SHIPPED / "demo")
    if network:
        part = NetworkPart(kind="vits", config=network)
        object.__setattr__(voice, "card", voice.card.model_copy(update={"network": part}))
    return Singer("demo", "synthetic", "whisper-tiny.en", voice=voice)


@pytest.fixture
def conversion_of(tmp_path):
    """Return the step that sings a vocal with some settings."""
    (tmp_path / "vocals.wav").write_bytes(b"sound")
    vocal = Outside(tmp_path / "vocals.wav")

    def make(singer=None, **settings):
        read = Step("read", "content", 1, {}, {}, run=None)
        features = dict.fromkeys(("content", "pitch", "loudness"), read)
        return convert_step(vocal, features, singer or singer_of(), Convert(**settings))

    return make


def test_a_project_of_before_keeps_its_keys(conversion_of):
    """What decides about a conversion is what decided before imported voices came, until somebody asks for more."""
    plain = conversion_of()
    assert {name for name in plain.params if name not in ("version", "region")} == {
        "transpose", "protect", "loudness_mix", "index_ratio", "formant_semitones",
    }  # fmt: skip
    assert conversion_of(noise_scale=None, auto_pitch=False, singers={}).key == plain.key
    miku = singer_of(family="rvc")
    asked = conversion_of(miku, noise_scale=0.5, auto_pitch=True)
    assert (asked.params["noise_scale"], asked.params["auto_pitch"]) == (0.5, True)
    wishes = ({}, {"noise_scale": 0.5}, {"auto_pitch": True})
    keys = {asked.key, *(conversion_of(miku, **wish).key for wish in wishes)}
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("network", "idle", "heard_too"),
    [
        ({}, {"noise_scale": 0.5, "index_ratio": 0.4}, {"formant_semitones": 2.0}),
        ({"family": "rvc"}, {"formant_semitones": 2.0, "index_ratio": 0.4}, {"noise_scale": 0.5}),
    ],
)
def test_what_a_voice_has_no_ear_for_renders_nothing_again_and_is_told(
    conversion_of, network, idle, heard_too
):
    singer = singer_of(**network)
    assert singer.voice.card.index is None
    step = conversion_of(singer, **idle)
    assert step.key == conversion_of(singer).key
    assert conversion_of(singer, **heard_too).key != step.key
    notes = singer_notes([singer], Convert(**idle, **heard_too), [step])
    assert len(notes) == 2
    for name in idle:
        assert any(name in note and note.count("no effect") == 1 for note in notes)
    assert singer_notes([singer], Convert(**heard_too), [step]) == []
    assert singer_notes([singer], Convert(**idle), []) == []


def test_the_index_ratio_of_a_voice_with_an_index_is_heard(conversion_of):
    singer = singer_of()
    card = singer.voice.card.model_copy(update={"index": IndexPart(sha256="0" * 64)})
    object.__setattr__(singer.voice, "card", card)
    assert conversion_of(singer, index_ratio=0.4).key != conversion_of(singer).key
    assert singer_notes([singer], Convert(index_ratio=0.4), [conversion_of(singer)]) == []


@pytest.mark.parametrize(
    ("network", "order"),
    [
        ({"family": "rvc"}, 5),
        ({"family": "rvc", "pitched": False}, 5),
        ({"family": "sovits"}, None),
        ({}, None),
    ],
)
def test_only_rvc_hears_its_source_without_rumble(tmp_path, network, order):
    (tmp_path / "vocals.wav").write_bytes(b"sound")
    vocal = Outside(tmp_path / "vocals.wav")
    source = heard(vocal, ready(singer_of(**network).voice))
    if order is None:
        assert source is vocal
    else:
        assert (source.step.kind, source.file, source.step.params) == (
            "high-pass", "vocals.wav", {"order": order}
        )  # fmt: skip


def test_a_voice_of_rvc_that_a_project_trains_hears_so_from_the_start(tmp_path):
    training = Step("train", "train", 1, {}, {}, run=None)
    takes = SimpleNamespace(name="anna", rights="own-voice")
    orders = {
        name: learner(Trainee(tmp_path, tmp_path, takes, PROFILES[name], 1), training).high_pass_order
        for name in ("quick", "rvc", "sovits")
    }
    assert orders == {"quick": None, "rvc": 5, "sovits": None}


def test_the_document_reaches_the_conversion():
    wishes = conversion(Convert(noise_scale=0.3, auto_pitch=True), None)
    assert (wishes.noise_scale, wishes.auto_pitch) == (0.3, True)
    wishes = conversion(Convert(), None)
    assert (wishes.noise_scale, wishes.auto_pitch) == (None, False)


@pytest.mark.parametrize(
    "values", [{"noise_scale": 2.5}, {"noise_scale": -0.1}, {"noise_scale": "low"}, {"auto_pitch": 1}]
)
def test_a_document_with_other_values_is_refused(values):
    with pytest.raises(ValidationError, match=next(iter(values))):
        Convert.model_validate(values)


def test_a_melody_is_asked_only_of_a_voice_that_makes_one_up():
    wish = Convert(auto_pitch=True)
    for singer in (
        None,
        singer_of(),
        singer_of(family="rvc"),
        singer_of(family="sovits", pitch_decoder=False),
    ):
        with pytest.raises(PlaceError, match="= true: the voice cannot make up a melody") as caught:
            check_singing(wish, singer)
        assert caught.value.where == "convert.auto_pitch"
    check_singing(wish, singer_of(family="sovits", pitch_decoder=True))
    check_singing(Convert(), singer_of())


def test_an_imported_voice_takes_its_time(conversion_of):
    """The dry run's estimate knows that its network sings about as fast as the song plays."""
    assert conversion_of(singer_of(family="rvc")).cost > 10 * conversion_of().cost
