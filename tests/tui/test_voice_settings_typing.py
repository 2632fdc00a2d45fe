"""Values typed in the dialog of a song's voice: as fast as one likes, of every kind, with what is missing told."""

import pytest
from community_models import save, small_model
from studio_stage import burst, lines, on_stage, project, saved, studio, text, until
from textual.widgets import Input

from covermaker.errors import WeightsError
from covermaker.project.load import load
from covermaker.tui.singing import Settings, SingingScreen
from covermaker.tui.singing_model import settings
from covermaker.voices.community.take_in import Wishes, take_in
from covermaker.weights import catalog

SCALE = "pitch_correction.scale"
BY_NAME = {one.name: one for one in settings()}


@pytest.fixture(autouse=True)
def voices(tmp_path, monkeypatch, states):
    monkeypatch.setenv("COVERMAKER_VOICES", str(tmp_path / "voices"))


def corrected(library, scale, **more):
    """Make a song with a scale."""
    said = f"[convert.pitch_correction]\nstrength = 0.5\nscale = {scale}\n"
    return project(library, "harbor", more=said, **more)


def correction(song):
    return load(song).document.values["convert"]["pitch_correction"]


async def at_setting(app, pilot, name):
    """Open the song and the dialog, at a setting."""
    await pilot.press("enter")
    await until(pilot, lambda: app.current_mode == "project" and app.screen.edits.project is not None)
    await pilot.press("h")
    await until(pilot, lambda: isinstance(app.screen, SingingScreen) and app.screen.query(Settings))
    listing = app.screen.query_one(Settings)
    await until(pilot, lambda: listing.items)
    listing.cursor = listing.items.index(name)
    await pilot.pause()


def row(app, label):
    return next(line for line in lines(app) if label in line)


@pytest.mark.parametrize(
    ("scale", "typed", "value"),
    [
        ('"C Eb G"', "C, Eb, G", ["C", "Eb", "G"]),
        ('["C", "Eb", "G"]', "D minor", "D minor"),
        ('["C", "Eb", "G"]', '["C","E"]', ["C", "E"]),
        ('"C Eb G"', "D minor", "D minor"),
    ],
)
@on_stage
async def test_a_scale_of_another_kind_is_taken_however_fast_it_is_typed(library, scale, typed, value):
    song = corrected(library, scale)
    async with studio(library) as (app, pilot):
        await at_setting(app, pilot, SCALE)
        await burst(pilot, "t", *typed, "enter")
        await until(pilot, lambda: correction(song).get("scale") == value)
        await until(pilot, lambda: isinstance(app.focused, Settings))
        await burst(pilot, "t", *"chromatic", "enter")
        await until(pilot, lambda: "scale" not in correction(song))


@on_stage
async def test_what_differs_is_marked_from_the_beginning(library):
    corrected(library, '"D minor"', voice="nobody-here")
    async with studio(library) as (app, pilot):
        await at_setting(app, pilot, SCALE)
        await until(pilot, lambda: ">*correction scale" in text(app))
        assert " *correction strength" in text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@on_stage
async def test_a_long_refusal_can_be_read_to_its_end(library, size):
    corrected(library, '"D minor"')
    async with studio(library, size=size) as (app, pilot):
        await at_setting(app, pilot, SCALE)
        await pilot.press("t")
        await pilot.press(*"H moll", "enter")
        await until(pilot, lambda: "unknown scale 'H moll'" in text(app))
        await saved(app.front(), pilot)
        said = app.screen.query_one("#refused")
        assert said.virtual_size.height <= said.size.height
        assert "phrygian)" in text(app)
        assert app.focused.value == "H moll"


@on_stage
async def test_a_step_begins_at_the_voices_own_number(library, tmp_path):
    take_in(Wishes(save(tmp_path / "miku.pth", small_model()), name="miku"))
    song = project(library, "harbor", voice="miku")
    async with studio(library) as (app, pilot):
        await at_setting(app, pilot, "noise_scale")
        await until(pilot, lambda: "0.66666, the voice's own" in row(app, "noise scale"))
        await pilot.press("=")
        await until(pilot, lambda: load(song).cover.convert.noise_scale == pytest.approx(0.71666))


@on_stage
async def test_no_step_is_made_from_a_number_that_nobody_knows(library):
    song = project(library, "harbor", voice="nobody-here")
    before = (song / "cover.toml").read_text()
    async with studio(library) as (app, pilot):
        await at_setting(app, pilot, "noise_scale")
        await pilot.press("=")
        await until(
            pilot, lambda: "own noise scale is no number that is known here: t types one" in text(app)
        )
        await pilot.press("t")
        assert isinstance(app.focused, Input)
        await pilot.press("escape")
        await saved(app.front(), pilot)
    assert (song / "cover.toml").read_text() == before


@on_stage
async def test_a_pitch_method_without_its_weights_says_how_they_come(library, monkeypatch):
    found = catalog.find

    def find(name, *more):
        if name == "rmvpe":
            raise WeightsError("the weights 'rmvpe' are not installed")
        return found(name, *more) if name != "fcpe" else None

    monkeypatch.setattr(catalog, "find", find)
    project(library, "harbor")
    async with studio(library, size=(100, 40)) as (app, pilot):
        await at_setting(app, pilot, "pitch")
        await pilot.press("enter")
        await until(pilot, lambda: "not here yet: covermaker models pull rmvpe" in text(app))
        assert text(app).count("models pull fcpe") == 0
        assert text(app).count("models pull rmvpe") == 1


def test_one_of_a_thing_is_one():
    assert BY_NAME["transpose"].text(1) == "1 semitone"
    assert BY_NAME["transpose"].text(-1) == "-1 semitone"
    assert BY_NAME["transpose"].text(2) == "2 semitones"
    assert BY_NAME["smooth_frames"].text(1) == "1 frame"
    assert BY_NAME["pitch_correction.retune_ms"].text(1.0) == "1.0 ms"


@pytest.mark.parametrize("way", ["0", "typed", "stepped"])
@on_stage
async def test_a_default_keeps_the_comment_and_the_place_of_its_line(library, way):
    lines_ = 'transpose = 1  # she sings high\nnoise_scale = 0.5  # free\npitch = "pm"\n'
    song = project(library, "harbor", more=f"[convert]\n{lines_}repair_octaves = false\n")
    file = song / "cover.toml"
    async with studio(library) as (app, pilot):
        await at_setting(app, pilot, "transpose")
        await pilot.press(
            *{"0": ["0"], "typed": ["t", "backspace", "enter"], "stepped": ["t", *"auto", "enter"]}[way]
        )
        kept = lines_.replace("transpose = 1 ", 'transpose = "auto" ')
        await until(pilot, lambda: kept in file.read_text())
        await until(pilot, lambda: " *transpose" not in text(app) and ">*transpose" not in text(app))
        await pilot.press("t", "3", "enter")
        await until(pilot, lambda: lines_.replace("transpose = 1 ", "transpose = 3 ") in file.read_text())
        listing = app.screen.query_one(Settings)
        for name, gone in (("repair_octaves", "repair_octaves"), ("noise_scale", "# free")):
            listing.cursor = listing.items.index(name)
            await pilot.pause()
            await pilot.press("0")  # without a comment, or where the default cannot be written: the line goes
            await until(pilot, lambda gone=gone: gone not in file.read_text())
