"""How a voice sings in a song, set on the Project screen."""

import pytest
from community_models import save, small_model
from studio_stage import lines, on_stage, project, saved, studio, text, until
from textual.widgets import Input

from covermaker.errors import UsageError
from covermaker.project.document import Convert, PitchCorrection
from covermaker.project.load import load
from covermaker.tui.singing import Settings, SingingScreen
from covermaker.tui.singing_model import settings, singer_of, singing_of
from covermaker.voices.community.take_in import Wishes, take_in

BY_NAME = {one.name: one for one in settings()}


@pytest.fixture
def song(library, states, tmp_path, monkeypatch):
    """A song, and no voices but the shipped one."""
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "voices"))
    return project(library, "harbor")


async def opened(app, pilot):
    """Open the song and the dialog; returns that, once it knows what the voice has no ear for."""
    await pilot.press("enter")
    await until(pilot, lambda: app.current_mode == "project" and app.screen.edits.project is not None)
    await pilot.press("h")
    await until(
        pilot,
        lambda: isinstance(app.screen, SingingScreen) and "noise_scale" in app.screen._singing.without,
    )
    return app.screen


async def at(screen, pilot, name):
    """Go to a setting."""
    listing = screen.query_one(Settings)
    listing.cursor = listing.items.index(name)
    await pilot.pause()


def document(song):
    """Return what the song's document says."""
    return (song / "cover.toml").read_text(encoding="utf-8")


def row(app, label):
    """Return the line of a setting."""
    return next(line for line in lines(app) if label in line)


def test_every_setting_of_the_document_is_offered():
    """But for parts of the song, which are no settings of a voice."""
    known = {*Convert.model_fields, *(f"pitch_correction.{name}" for name in PitchCorrection.model_fields)}
    assert known - set(BY_NAME) == {"pitch_correction", "parts", "parts_crossfade_seconds"}
    assert set(BY_NAME) <= known


def test_ranges_and_help_are_the_documents_own():
    assert (BY_NAME["protect"].low, BY_NAME["protect"].high) == (0.0, 0.5)
    assert BY_NAME["index_ratio"].allowed == "0 to 1"
    assert BY_NAME["transpose"].allowed == "-36 to 36 semitones, auto, fit, off"
    assert BY_NAME["pitch_correction.a4_hz"].allowed == "400 to 480 Hz, auto"
    assert "fcpe" in BY_NAME["pitch"].choices
    assert BY_NAME["protect"].help == Convert.model_fields["protect"].description


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("transpose", "-12", -12),
        ("transpose", "+7 semitones", 7),
        ("transpose", "FIT", "fit"),
        ("index_ratio", "75 %", 0.75),
        ("repair_octaves", "off", False),
        ("smooth_frames", "5", 5),
        ("singers", "anna 0.7, ben=0.3", {"anna": 0.7, "ben": 0.3}),
        ("singers", "anna", {"anna": 1.0}),
        ("pitch_correction.scale", "F# minor", "F# minor"),
        ("pitch_correction.scale", "C, Eb, G", ["C", "Eb", "G"]),
        ("pitch_correction.scale", '["C","Eb"]', ["C", "Eb"]),
        ("pitch_correction.scale", "['C', 'Eb', 'G']", ["C", "Eb", "G"]),
        ("pitch_correction.scale", "[C, Eb]", ["C", "Eb"]),
        ("pitch_correction.scale", '"F# minor"', "F# minor"),
        ("pitch_correction.scale", "C Eb G", "C Eb G"),
        ("pitch_correction.guide_track", "2", 2),
        ("pitch_correction.guide_track", "Melody", "Melody"),
        ("pitch_correction.retune_ms", "0.1 s", 100.0),
        ("pitch_correction.a4_hz", "auto", "auto"),
    ],
)
def test_values_as_people_type_them(name, typed, value):
    found = BY_NAME[name].read(typed)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("protect", "much", "'much' is no value of protect (0 to 0.5)"),
        ("repair_octaves", "maybe", "'maybe' is no value of repair octaves (on or off)"),
        ("pitch", "yin", "'yin' is no value of pitch (fcpe, "),
        ("formant_semitones", "3 Hz", "'3 Hz' has the wrong unit (write it in semitones)"),
        ("singers", "= 2", "'= 2' is no value of singers (each singer and how much of it"),
    ],
)
def test_what_is_no_value_is_refused_with_what_is(name, typed, words):
    with pytest.raises(UsageError) as refused:
        BY_NAME[name].read(typed)
    assert str(refused.value).startswith(words)


def test_steps_stay_in_the_range_and_begin_at_a_number():
    assert BY_NAME["transpose"].stepped("auto", -1) == -1
    assert BY_NAME["transpose"].stepped(36, 1) == 36
    assert BY_NAME["index_ratio"].stepped(0.75, 1) == 0.8
    assert BY_NAME["pitch_correction.a4_hz"].stepped("auto", -1) == 400.0
    smooth = BY_NAME["smooth_frames"]
    up = [0]
    while up[-1] < 21:
        up.append(smooth.stepped(up[-1], 1))
    assert up == [0, *range(1, 22, 2)]
    assert [smooth.stepped(value, -1) for value in (21, 3, 1, 0)] == [19, 1, 0, 0]


def test_an_imported_voice_has_numbers_of_its_own(song, tmp_path):
    take_in(Wishes(save(tmp_path / "miku.pth", small_model()), name="miku"))
    (song / "cover.toml").write_text(document(song).replace('"demo"', '"miku"'), encoding="utf-8")
    found = load(song)
    singing = singing_of(found.cover, singer_of(found.cover, song))
    assert singing.text(BY_NAME["noise_scale"], None) == "0.66666, the voice's own"
    assert singing.without["formant_semitones"] == (
        "No effect: the voice 'miku' has its resonances in the network."
    )
    assert "noise_scale" not in singing.without


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@on_stage
async def test_the_dialog_fits_and_says_what_each_setting_is(song, library, size):
    async with studio(library, size=size) as (app, pilot):
        screen = await opened(app, pilot)
        shown = text(app)
        assert "How demo sings in this song" in shown
        assert "> transpose" in shown
        assert "Semitones, auto (octaves towards the voice's own range)" in shown
        assert "Allowed: -36 to" in shown
        assert "* differs from its default" in shown
        assert lines(app)[-1].startswith(
            " - = Value  enter Choose  t Type  0 Default  z Z Undo, redo  esc Back"
        )
        assert "(no effect)" in row(app, "noise scale")
        for name, setting in BY_NAME.items():
            await at(screen, pilot, name)
            await until(pilot, lambda label=setting.label: f"> {label}" in text(app))
            told = " ".join(text(app).replace("│", " ").split())
            assert setting.help.split(".")[0][:60] in told, name
            about = screen.query_one("#about")
            assert about.virtual_size.height <= about.size.height, name
        await at(screen, pilot, "noise_scale")
        await until(pilot, lambda: "No effect: the voice 'demo' has no latent to draw from." in text(app))
        await at(screen, pilot, "pitch_correction.scale")
        await until(pilot, lambda: "No effect while correction strength is 0." in text(app))


@on_stage
async def test_a_setting_is_typed_stepped_undone_and_put_back(song, library):
    async with studio(library) as (app, pilot):
        screen = await opened(app, pilot)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await until(pilot, lambda: "enter Take  esc Leave it" in lines(app)[-1])
        await pilot.press(*"-12", "enter")
        await until(pilot, lambda: "transpose = -12" in document(song))
        await until(pilot, lambda: ">*transpose" in row(app, "transpose") and "-12" in row(app, "transpose"))
        assert screen is app.screen
        await at(screen, pilot, "protect")
        await pilot.press("-", "-", "-")
        await until(pilot, lambda: "protect = 0.3\n" in document(song))
        await until(pilot, lambda: "0.3 " in row(app, "protect"))
        await pilot.press("z")  # three steps are one gesture
        await until(pilot, lambda: "protect" not in document(song))
        await until(pilot, lambda: ">*protect" not in text(app))
        await pilot.press("Z")
        await until(pilot, lambda: "protect = 0.3\n" in document(song))
        await pilot.press("0")
        await until(pilot, lambda: "protect" not in document(song))
        await at(screen, pilot, "repair_octaves")
        await pilot.press("enter")
        await until(pilot, lambda: "repair_octaves = false" in document(song))
        await at(screen, pilot, "pitch")
        await pilot.press("=")
        await until(pilot, lambda: 'pitch = "' in document(song))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.front())
        await pilot.press("z")
        await until(pilot, lambda: 'pitch = "' not in document(song))


@on_stage
async def test_what_is_refused_is_said_in_the_dialog_and_only_there(song, library):
    before = document(song)
    async with studio(library) as (app, pilot):
        screen = await opened(app, pilot)
        for name, typed, words in (
            (
                "transpose",
                "200",
                "'200' is out of the range of transpose (-36 to 36 semitones, auto, fit, off)",
            ),
            ("transpose", "2.5", "'2.5' is no whole number, and transpose takes no other (-36 to 36"),
            ("transpose", "1 oct", "'1 oct' has the wrong unit (write it in semitones)"),
            ("protect", "80 %", "'80 %' is out of the range of protect (0 to 0.5)"),
            ("protect", "much", "'much' is no value of protect (0 to 0.5)"),
            ("smooth_frames", "4", "smooth_frames"),
            ("auto_pitch", "on", "convert.auto_pitch = true: the voice cannot make up a melody"),
            ("singers", "anna", "the voice has no singer 'anna' (it is a voice of one singer"),
        ):
            await at(screen, pilot, name)
            await pilot.press("t")
            await until(pilot, lambda: isinstance(app.focused, Input))
            await pilot.press(*typed, "enter")
            await until(pilot, lambda: screen.query_one("#refused").display)
            await saved(app.front(), pilot)
            told = " ".join(text(app).split())
            assert told.count(words) == 1, (name, told)
            assert isinstance(app.focused, Input), typed
            assert app.focused.value == typed
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.focused, Input))
        assert document(song) == before
        assert screen._singing.changed == frozenset()


@pytest.mark.parametrize("words", ["voice settings", "transpose", "index", "protect"])
@on_stage
async def test_the_palette_finds_it(song, library, words):
    async with studio(library) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "project" and app.screen.edits.project is not None)
        await pilot.press("ctrl+p")
        await pilot.press(*words)
        await until(pilot, lambda: "Voice settings  (h)" in text(app))


@on_stage
async def test_a_change_from_elsewhere_is_shown(song, library):
    async with studio(library) as (app, pilot):
        await opened(app, pilot)
        (song / "cover.toml").write_text(document(song) + "[convert]\nprotect = 0.5\n", encoding="utf-8")
        await until(pilot, lambda: "* protect" in text(app) or "*protect" in text(app))
        assert "0.5" in row(app, "protect")
