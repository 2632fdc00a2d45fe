"""The card: what is read, what is refused, and with which words."""

from __future__ import annotations

import datetime

import pytest

from covermaker.errors import ExitCode, ProjectError
from covermaker.voices.card import VoiceCard, read_card, write_card


def test_a_card_is_read(make_voice):
    card = read_card(make_voice())
    assert (card.name, card.rights, card.sample_rate) == ("demo", "synthetic", 16000)
    assert card.created == datetime.date(2026, 1, 31)
    assert card.network.config == {"hidden": 128, "layers": [2, 3]}
    assert card.f0.low_hz == 120.0  # a whole number is a fine frequency
    assert card.speaker is None


def test_written_and_read_again_it_is_the_same(make_voice, tmp_path):
    card = read_card(make_voice(replace={"[training]": '[speaker]\nembedding = "e.npy"\n\n[training]'}))
    write_card(card, tmp_path)
    assert read_card(tmp_path) == card


def test_content_without_a_hash_is_that_of_whoever_sings(make_voice):
    """Of a published voice nobody knows with which file it was trained; what is installed is in the steps' keys."""
    card = read_card(make_voice(replace={f'sha256 = "{"0" * 64}"\n\n[f0]': "\n[f0]"}))
    assert card.content.sha256 is None
    assert card.sound()["content"] == {"encoder": "whisper-base"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [  # one row a refusal
        ('licence = "CC0"', 'license = "CC0"', r"unknown key 'license' \(did you mean 'licence'\?\)"),
        ("[training]", 'licance = "x"\n[training]', r"unknown key 'weights\.licance'"),
        (
            "median_hz = 200.0",
            "median_hz = 200.0\nmedian = 3",
            r"'f0\.median' \(did you mean 'median_hz'\?\)",
        ),
        ('name = "demo"\n', "", r"'name' is missing"),
        ("[content]\n", "[contents]\n", r"unknown key 'contents' \(did you mean 'content'\?\)"),
        (
            'rights = "synthetic"',
            'rights = "mine"',
            r":4: rights = 'mine': .*'synthetic' or 'unknown'",
        ),
        ('rights = "synthetic"', 'rights = "licensed"', r"rights 'licensed' need a statement"),
        ("sample_rate = 16000", 'sample_rate = "16k"', r"sample_rate = '16k': a whole number"),
        ("sample_rate = 16000", "sample_rate = true", r"sample_rate = true: a whole number"),
        ("sample_rate = 16000", "sample_rate = 22050", r"sample_rate = 22050: .*multiple of 100"),
        ("sample_rate = 16000", "sample_rate = 400", r"sample_rate = 400: .*greater than or equal to 8000"),
        ("schema = 1", "schema = 2", r":1: schema = 2: this version reads schema 1"),
        ("created = 2026-01-31", 'created = "yesterday"', r"created = 'yesterday': a date"),
        ("low_hz = 120", "low_hz = 220", r":20: f0: low_hz <= median_hz <= high_hz must hold"),
        ("low_hz = 120", "low_hz = 0", r"f0\.low_hz = 0: .*greater than 0"),
        ("high_hz = 400.0", "high_hz = nan", r"f0\.high_hz = nan: .*"),
        (
            'file = "voice.safetensors"',
            'file = "../voice.safetensors"',
            r"weights\.file = .*: must be a \.safetensors",
        ),
        (
            'file = "voice.safetensors"',
            'file = "voice.pth"',
            r"weights\.file = 'voice.pth': must be a \.safetensors file name",
        ),
        ('base"\nsha256 = "0000', 'base"\nsha256 = "abc', r"content\.sha256 = .*64 digits"),
        ('languages = ["en"]', 'languages = "en"', r"languages = 'en': a list"),
        ('name = "demo"', 'name = "../demo"', r"name = '../demo': .*no slash"),
        (
            "[training]",
            "[speaker]\nembedding = '/etc/e.npy'\n[training]",
            r"speaker\.embedding = '/etc/e\.npy': must be a \.npy",
        ),
        ("schema = 1", "schema = ", r"is no TOML: "),
    ],
)
def test_refusals_name_the_place(make_voice, old, new, message):
    folder = make_voice(replace={old: new})
    with pytest.raises(ProjectError, match=message) as caught:
        read_card(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in caught.value.message
    assert caught.value.exit_code is ExitCode.PROJECT


def test_a_folder_without_card_is_no_voice(tmp_path):
    with pytest.raises(ProjectError, match=r"is no voice: it has no card\.toml"):
        read_card(tmp_path)


def test_a_card_that_is_no_text(make_voice):
    folder = make_voice()
    (folder / "card.toml").write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(ProjectError, match="is no TOML"):
        read_card(folder)


def test_a_card_that_is_a_folder(tmp_path):
    (tmp_path / "card.toml").mkdir()
    with pytest.raises(ProjectError, match="cannot be read"):
        read_card(tmp_path)


def test_every_field_is_sound_or_listed_as_left_out():
    """A new card field must be put on one side on purpose."""
    left_out = (
        "schema name description rights statement licence origin created languages training speaker weights"
    )
    sound = {"sample_rate", "network", "content", "f0", "index", "singers"}
    fields = {field.alias or name for name, field in VoiceCard.model_fields.items()}
    assert fields == sound | set(left_out.split())
