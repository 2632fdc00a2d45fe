"""The Presets screen: what it says of a preset, applying, hearing, and changes of files that can be taken back."""

import asyncio
import json
from contextlib import nullcontext
from functools import partial

import pytest
from studio_stage import (
    burst,
    lines,
    on_screen,
    on_stage,
    preview,
    project,
    quiet,
    state,
    studio,
    text,
    until,
    wishes,
)

from covermaker.effects.preset_files import own
from covermaker.effects.preset_users import entries, users
from covermaker.effects.presets import KINDS, list_presets, load_preset
from covermaker.errors import UsageError
from covermaker.project.history import undo
from covermaker.project.library import scan
from covermaker.project.load import load
from covermaker.render.previewing import Previewed, matched
from covermaker.tui import presets_changes, presets_hearing, presets_model
from covermaker.tui.presets_list import PresetDetails, Presets
from covermaker.tui.presets_model import Look, about, cells, details
from covermaker.tui.presets_sound import Pairs

RACK = 'rack = [{ effect = "gate", threshold_db = -40.0 }, { effect = "gain", gain_db = 1.0 }]\n'
SENDS = "sends = { room = -12.0 }\n"
MORE = """gain_db = 0.0
rack = [{ effect = "gate", threshold_db = -44.0 }, { effect = "gain", gain_db = 1.0 }]
[[tracks]]
name = "band"
source = "instrumental"
[convert]
transpose = 3
protect = 0.2
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A person's own presets: a rack that says little."""
    monkeypatch.setenv("COVERMAKER_PRESETS", str(tmp_path / "presets"))

    def write(kind, name, body, description="Mine."):
        file = tmp_path / "presets" / kind / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'name = "{name}"\ndescription = "{description}"\n{body}', encoding="utf-8")
        return file

    write("racks", "aaa", RACK + SENDS)
    write.folder = tmp_path / "presets"
    return write


@pytest.fixture
def song(library, states):
    """A project whose vocal is two decibels from the preset."""
    folder = project(library, "blue", "Blue [Harbour]", more=MORE)
    states["blue"] = state("done", seconds=30.0)
    return folder


def entry(kind, name):
    return next(one for one in list_presets(kind) if one.name == name)


def look(width=60):
    styles = dict.fromkeys(("done", "run", "stale", "failed", "quiet"), "")
    return Look(styles, "unicode", lambda text: text.replace("{presets.copy}", "+"), width)


def test_details_say_where_who_what_would_change_and_what_it_holds(mine, song):
    found = about(entry("racks", "aaa"), load(song), "vocals")
    assert [f"{line.sign} {line.words}" for line in found.lines] == ["~ 1 gate: threshold -44 -> -40 dB"]
    assert found.missing == ("room",)
    who = users(entries(), scan(song.parent))["racks", "aaa"]
    assert (who.same, [title for _, title in who.edited]) == ((), ["Blue [Harbour]"])
    said = details(found, who, look()).plain
    for words in (
        "Mine.\nyours\n",
        "edited in 1 song: Blue [Harbour]",
        "against Blue [Harbour]: vocals\n  ~ 1 gate: threshold -44 -> -40 dB\n",
        "! the song has no bus room: its send is left out",
        "holds\n  1 gate: threshold -40 dB\n  2 gain: gain 1 dB\n  send to room -12 dB",
    ):
        assert words in said
    assert "looking who uses it" in details(found, None, look()).plain
    assert "No song is open" in details(about(entry("racks", "aaa"), None, ""), who, look()).plain


def test_values_stay_with_their_units_on_a_line(mine, song):
    found = about(entry("racks", "natural"), load(song), "vocals")
    for line in details(found, None, look(36)).plain.splitlines():
        assert not line.lstrip().startswith(("dB", "Hz", "ms", "->", ":1")), line


def test_voice_settings_keep_what_belongs_to_the_song(mine, song):
    found = about(entry("voices", "in-tune"), load(song), "vocals")
    words = [line.words for line in found.lines]
    assert "convert pitch correction strength 0.0 -> 0.7" in words
    assert "convert protect 0.2 -> 0.33" in words
    assert not any("transpose" in one for one in words)
    assert found.against == "Blue [Harbour]: voice"


def test_who_uses_what_is_told_by_the_values(mine, library, song):
    for name, level in (("one", -40.0), ("two", -39.0), ("three", -40.0)):
        project(library, name, more=RACK.replace("-40.0", str(level)))
    (library / "broken").mkdir()
    (library / "broken" / "cover.toml").write_text("nonsense", encoding="utf-8")
    mine("racks", "far", RACK.replace("-40.0", "-39.5").replace("1.0", "9.0"))
    found = users(entries(), scan(library))
    assert sorted(title for _, title in found["racks", "aaa"].same) == ["One", "Three"]
    assert sorted(title for _, title in found["racks", "aaa"].edited) == ["Blue [Harbour]", "Two"]
    assert found["racks", "far"].edited == ()
    # Streaming differs by its high-pass; a preset without it, at the default loudness, is every project's.
    mine("masters", "plain", "loudness_lufs = -14.0\ntrue_peak_dbtp = -1.0\n")
    assert len(users(entries(), scan(library))["masters", "plain"].same) == 4
    assert not users(entries(), scan(library), lambda: True)["racks", "aaa"].same


def test_rows_say_the_mark_in_words(mine):
    def row(name, kind="racks", **how):
        return cells(entry(kind, name), **{"is_first": False, "in_use": False, "charset": "ascii", **how})

    mine("racks", "natural", RACK)
    mine("racks", "bad", "rack = [")
    assert [cell[0] for cell in row("rock", is_first=True)] == ["rack", "rock", "shipped"]
    assert row("aaa")[2] == ("yours", "")
    assert row("natural")[2] == ("edited", "")
    assert row("bad")[2] == ("x damaged", "failed")
    assert row("rock", in_use=True)[2] == ("v in use", "done")
    said = details(about(entry("racks", "bad"), None, ""), None, look()).plain
    assert "bad.toml is no TOML" in said
    assert (
        "{presets.remove} brings that back"
        in details(about(entry("racks", "natural"), None, ""), None, look()).plain
    )


def test_every_change_turns_back_and_forth(mine, song):
    made = presets_changes.copied("racks", "rock", "rock-2")
    gone = made.turn()
    assert entry("racks", "rock")
    with pytest.raises(UsageError, match="unknown rack preset 'rock-2'"):
        own("racks", "rock-2")
    assert gone.turn().selects == ("racks", "rock-2")
    renamed = presets_changes.renamed("racks", "rock-2", "stone")
    back = renamed.turn()
    assert own("racks", "rock-2").path.read_text().count('name = "rock-2"') == 1
    assert back.turn().selects == ("racks", "stone")
    before = own("racks", "stone").path.read_text()
    updated = presets_changes.updated(
        presets_model.new_preset(load(song), "racks", "vocals", "stone", "Kept.")
    )
    assert load_preset("racks", "stone").rack[0]["threshold_db"] == -44.0
    assert updated.turn().turn().turn().selects == ("racks", "stone")
    assert own("racks", "stone").path.read_text() == before
    assert presets_changes.edited("racks", "stone", before) is None
    assert presets_changes.edited("racks", "stone", "else").words == "edited preset stone"
    presets_changes.removed("racks", "stone").turn()
    saved = presets_changes.saved(presets_model.new_preset(load(song), "voices", "vocals", "soft"))
    assert load_preset("voices", "soft").convert == {"protect": 0.2}
    assert load_preset("voices", "soft").description == "As in Blue [Harbour]."
    saved.turn()
    with pytest.raises(UsageError, match="shipped"):
        presets_changes.text_of("racks", "rock")


# B is four decibels louder.
PREVIEW = preview(file="a.wav", out_lufs=-20.0, changed={"file": "b.wav", "out_lufs": -16.0})


@on_stage
async def test_a_pair_is_the_same_stretch_twice(song):
    pairs = Pairs(song, command=PREVIEW)
    as_it_is, changed = await pairs.make((10.0, 18.0), "mix", {"tracks": []})
    assert (as_it_is.file, changed.file) == (str(song / "a.wav"), str(song / "b.wav"))
    assert matched(as_it_is, changed) == (0.0, -4.0)
    assert matched(Previewed(**{**vars(as_it_is), "out_lufs": None}), changed) == (0.0, 0.0)
    (song / "no-preview").write_text("no sound: render it")
    with pytest.raises(UsageError, match=r"no sound: render it"):
        await pairs.make((0.0, 8.0), "mix", {})
    await pairs.close()


@on_stage
async def test_a_refusal_of_a_pair_that_was_given_up_is_not_of_the_next(song):
    pairs = Pairs(song, command=PREVIEW)
    (song / "wait").touch()
    (song / "no-preview").write_text("no sound")
    first = asyncio.create_task(pairs.make((0.0, 8.0), "mix", {}))
    while not wishes(song):
        await asyncio.sleep(0.01)
    (song / "no-preview").unlink()
    pairs.give_up()
    second = asyncio.create_task(pairs.make((8.0, 16.0), "mix", {}))
    await asyncio.sleep(0.01)
    (song / "wait").unlink()
    as_it_is, _ = await asyncio.wait_for(second, 10.0)
    assert as_it_is.start_seconds == 8.0
    assert first.cancelled()
    await pairs.close()


async def at_presets(app, pilot, *, song=None, on=None):
    if song is not None:
        app.project = song
    await pilot.press("6")
    await until(pilot, lambda: app.screen.query(Presets) and app.screen.is_settled)
    screen = app.screen
    if on is not None:
        listing = screen.query_one(Presets)
        listing.cursor = next(i for i, one in enumerate(listing.items) if (one.kind, one.name) == on)
        await until(pilot, lambda: on[1] in (screen.query_one(PresetDetails).border_title or ""))
    return screen


def asked_of(song):
    return [json.loads(line) for line in wishes(song).splitlines()]


def presets_screen(song, on, *, size=(80, 24)):
    """Open the Presets screen beside a song, with the cursor on a preset."""
    return on_screen(song.parent, partial(at_presets, song=song, on=on), size=size)


def said(app):
    return app.screen.query_one(PresetDetails)._text.plain


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 24), (40, 10)])
def test_without_a_song_it_shows_what_there_is(mine, library, states, size):
    @on_stage
    async def run():
        async with studio(library, size=size, settings=quiet()) as (app, pilot):
            screen = await at_presets(app, pilot, on=("racks", "aaa"))
            rows = lines(app)
            assert all(len(row) == size[0] for row in rows)
            assert rows[-1].rstrip().endswith("? Help")
            known = sum(len(list_presets(kind)) for kind in KINDS)
            assert f"Presets: {known}, 1 yours" in text(app)
            assert "rack   aaa" in text(app)
            assert "No song is open to compare with: 1 shows your songs" in said(app).replace("\n", " ")
            assert screen.panes()[0].region.width
            for key, why in (
                ("enter", "Apply: no song is open: 1 shows"),
                ("space", "Hear: no song is open"),
                ("a", "A/B: nothing is heard"),
                ("w", "Save song's: no song is open"),
            ):
                await pilot.press(key)
                assert why[: size[0] - 8] in lines(app)[-2]

    run()


@on_stage
async def test_a_damaged_preset_and_a_shipped_one_refuse(mine, song):
    mine("racks", "bad", "rack = [")
    async with presets_screen(song, ("racks", "bad")) as (_, app, pilot):
        assert "✗ damaged" in text(app)
        assert "bad.toml is no TOML" in said(app)
        await pilot.press("enter")
        assert "Apply: the file is damaged: e opens it" in lines(app)[-2]
        await pilot.press("down", "d")
        assert "it is shipped and stays as it is: + copies it" in lines(app)[-2]


@on_stage
async def test_apply_is_one_edit_in_words(mine, song):
    before = (song / "cover.toml").read_text()
    async with presets_screen(song, ("racks", "aaa"), size=(120, 40)) as (screen, app, pilot):
        await until(pilot, lambda: "threshold -44 -> -40 dB" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "✓ the same" in text(app))
        await until(pilot, lambda: "✓ in use" in text(app))
        assert load(song).cover.tracks[0].rack[0]["threshold_db"] == -40.0
        assert "preset 'aaa' on vocals" in lines(app)[-2]
        assert screen.undo_words() == "preset 'aaa' on vocals"
        await pilot.press("z")
        await until(pilot, lambda: (song / "cover.toml").read_text() == before)
        await until(pilot, lambda: screen.redo_words() == "preset 'aaa' on vocals")
        await pilot.press("Z")
        await until(pilot, lambda: (song / "cover.toml").read_text() != before)
        await pilot.press("v")
        assert "racks are compared with band" in lines(app)[-2]
        await until(pilot, lambda: "against Blue [Harbour]: band" in text(app))
        undo(load(song))  # as another window would
        await pilot.press("1", "6", "v")
        await until(pilot, lambda: "threshold -44 -> -40 dB" in text(app))


@on_stage
async def test_masters_and_voices_are_applied_to_the_song(mine, song):
    async with presets_screen(song, ("masters", "cd")) as (_, app, pilot):
        await until(pilot, lambda: "master loudness -14.0 -> -9.0 LUFS" in said(app))
        await pilot.press("enter")
        await until(pilot, lambda: "preset 'cd' on the master" in lines(app)[-2])
        await at_presets(app, pilot, on=("voices", "in-tune"))
        await pilot.press("enter")
        await until(pilot, lambda: "preset 'in-tune' on the voice" in lines(app)[-2])
        cover = load(song).cover
        assert cover.master.loudness_lufs == -9.0
        assert (cover.convert.pitch_correction.strength, cover.convert.protect, cover.convert.transpose) == (
            0.7,
            0.33,
            3,
        )


@on_stage
async def test_copies_get_names_and_are_taken_back(mine, song):
    async with presets_screen(song, ("racks", "rock")) as (screen, app, pilot):
        await pilot.press("+")
        await until(pilot, lambda: "A copy of rock. Its name:" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: screen.query_one(Presets).selected.name == "rock-2")
        await pilot.press("n")
        await until(pilot, lambda: "Another name for rock-2:" in text(app))
        await pilot.press("x", "/", "enter")
        await until(pilot, lambda: "is no name for a preset" in text(app))
        assert "Another name for rock-2:" in text(app)  # it stays open
        assert lines(app)[-1].startswith(" enter Save  esc Cancel")
        await pilot.press("backspace", "enter")
        await until(pilot, lambda: screen.query_one(Presets).selected.name == "x")
        for words in ("renamed rock-2 to x", "copied rock to rock-2"):
            await pilot.press("z")
            await until(pilot, lambda words=words: f"undo: {words}" in lines(app)[-2])
        await pilot.press("Z")
        await until(pilot, lambda: "redo: copied rock to rock-2" in lines(app)[-2])


@on_stage
async def test_what_the_song_has_is_saved_and_put_into_a_preset(mine, song):
    async with presets_screen(song, ("racks", "aaa")) as (screen, app, pilot):
        await pilot.press("u")
        await until(pilot, lambda: "updated preset aaa" in lines(app)[-2])
        assert load_preset("racks", "aaa").rack == tuple(load(song).cover.tracks[0].rack)
        await pilot.press("d")
        await until(pilot, lambda: "removed preset aaa" in lines(app)[-2])
        assert all(one.shipped for one in list_presets("racks"))
        await until(pilot, lambda: screen.undo_words() == "removed preset aaa")
        await pilot.press("z")
        await until(pilot, lambda: "undo: removed preset aaa" in lines(app)[-2])
        assert own("racks", "aaa")
        await pilot.press("w")
        await until(pilot, lambda: "A preset with the rack of vocals" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "saved preset blue" in lines(app)[-2])
        assert load_preset("racks", "blue").description == "As in Blue [Harbour]."


@on_stage
async def test_a_terminal_that_cannot_be_left_says_where_the_file_is(mine, song):
    async with presets_screen(song, ("racks", "aaa")) as (_, app, pilot):
        await pilot.press("e")
        assert "this terminal cannot be left for an editor" in lines(app)[-2]


@on_stage
async def test_what_an_editor_did_is_shown_and_can_be_taken_back(mine, library, song, monkeypatch):
    file = own("racks", "aaa").path
    before = file.read_text()
    async with studio(library, size=(120, 40), settings=quiet()) as (app, pilot):
        monkeypatch.setattr(app, "suspend", nullcontext)
        await at_presets(app, pilot, song=song, on=("racks", "aaa"))
        monkeypatch.setenv("EDITOR", "true")
        await pilot.press("e")
        await until(pilot, lambda: "nothing changed" in lines(app)[-2])
        monkeypatch.setenv("EDITOR", "sed -i s/-40.0/-40.0.0/")
        await pilot.press("e")
        await until(pilot, lambda: "edited preset aaa: " in lines(app)[-2] and "aaa.toml" in lines(app)[-2])
        await pilot.press("z")
        await until(pilot, lambda: "undo: edited preset aaa" in lines(app)[-2])
        monkeypatch.setenv("EDITOR", "sed -i s/-40.0/-41.0/")
        await pilot.press("e")
        await until(pilot, lambda: lines(app)[-2].startswith(" edited preset aaa  "))
        assert load_preset("racks", "aaa").rack[0]["threshold_db"] == -41.0
        await until(pilot, lambda: "threshold -44 -> -41 dB" in text(app))
        await pilot.press("z")
        await until(pilot, lambda: "undo: edited preset aaa" in lines(app)[-2])
        assert file.read_text() == before
        monkeypatch.setenv("EDITOR", "false")
        await pilot.press("e")
        await until(pilot, lambda: "false ended with exit status 1" in lines(app)[-2])


@on_stage
async def test_an_undo_that_is_refused_stays_the_next_one(mine, song):
    async with presets_screen(song, ("racks", "aaa")) as (screen, app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: screen.undo_words() == "removed preset aaa")
        mine("racks", "aaa", RACK)  # somebody has put another one in its place
        await pilot.press("z")
        await until(pilot, lambda: "aaa" in lines(app)[-2] and "undo:" not in lines(app)[-2])
        await until(pilot, lambda: not screen._filing.locked())
        assert (screen.undo_words(), screen.redo_words()) == ("removed preset aaa", "")
        (mine.folder / "racks" / "aaa.toml").unlink()
        await pilot.press("z")
        await until(pilot, lambda: "undo: removed preset aaa" in lines(app)[-2])
        assert (screen.undo_words(), screen.redo_words()) == ("", "removed preset aaa")


@on_stage
async def test_undos_in_a_burst_go_back_one_after_the_other(mine, song):
    async with presets_screen(song, ("racks", "aaa")) as (screen, app, pilot):
        before = (song / "cover.toml").read_text()
        await pilot.press("u")
        await until(pilot, lambda: screen.undo_words() == "updated preset aaa")
        await at_presets(app, pilot, on=("masters", "cd"))
        await pilot.press("enter")
        await until(pilot, lambda: screen.undo_words() == "preset 'cd' on the master")
        await at_presets(app, pilot, on=("racks", "aaa"))
        await pilot.press("d")
        await until(pilot, lambda: screen.undo_words() == "removed preset aaa")
        await burst(pilot, "z", "z", "z")
        await until(pilot, lambda: screen.redo_words() == "updated preset aaa")
        assert (song / "cover.toml").read_text() == before
        assert load_preset("racks", "aaa").rack[0]["threshold_db"] == -40.0
        await burst(pilot, "Z", "Z", "Z")
        await until(pilot, lambda: screen.undo_words() == "removed preset aaa")
        assert load(song).cover.master.loudness_lufs == -9.0


@on_stage
async def test_a_refusal_of_what_was_given_up_fails_nothing(song):
    pairs = Pairs(song, command=preview())
    making = asyncio.ensure_future(pairs.make((0.0, 8.0), "mix", {}))
    await asyncio.sleep(0)
    pairs._refused(pairs._number - 1, "the loop is too short")
    assert len(await making) == 2
    await pairs.close()


@on_stage
async def test_hear_makes_a_and_b_of_the_loop(mine, song, player, monkeypatch):
    monkeypatch.setattr(presets_hearing, "COMMAND", PREVIEW)
    monkeypatch.setattr(presets_hearing, "_SETTLE_SECONDS", 0.01)

    async with presets_screen(song, ("racks", "aaa"), size=(120, 40)) as (screen, app, pilot):
        before = (song / "cover.toml").read_text()
        await pilot.press("space")
        await until(pilot, lambda: "► 0:10 to 0:18  B: with aaa" in text(app))
        assert player.made.names == [("a.wav", "b.wav")]
        ((files, *where),) = player.made.loads
        assert (files.gain_db_b, *where) == (-4.0, 10.0, (10.0, 18.0))
        as_it_is, changed = asked_of(song)
        assert (as_it_is["changes"], changed["what"]) == ({}, "mix")
        assert changed["changes"]["tracks"][0]["rack"][0]["threshold_db"] == -40.0
        await pilot.press("a")
        await until(pilot, lambda: "► 0:10 to 0:18  A: as it is" in text(app))
        await pilot.press(".")
        await until(pilot, lambda: "► 0:18 to 0:26  B: with aaa" in text(app))
        await pilot.press("down")
        await until(pilot, lambda: "B: with backing-wide" in text(app))
        await pilot.press("space")
        await until(pilot, lambda: not screen.trial.is_on)
        assert "►" not in text(app)
        await at_presets(app, pilot, on=("masters", "cd"))
        await pilot.press("space")
        await until(pilot, lambda: "B: with cd" in text(app))
        assert asked_of(song)[-1]["what"] == "mastered"
        (song / "no-preview").write_text("no sound: render it")
        await pilot.press(",")
        await until(pilot, lambda: "hear: no sound: render it" in text(app))
        assert (song / "cover.toml").read_text() == before
        await pilot.press("escape", "1")
        await until(pilot, lambda: app.current_mode == "library")
        assert not screen.trial.is_on


@on_stage
async def test_voice_settings_are_sung_and_given_up(mine, song, player, monkeypatch):
    monkeypatch.setattr(presets_hearing, "COMMAND", PREVIEW)

    async with presets_screen(song, ("voices", "smaller-head"), size=(120, 40)) as (screen, app, pilot):
        (song / "wait").touch()
        await pilot.press("space")
        await until(pilot, lambda: "► 0:10 to 0:18  making it heard: convert 40 %" in text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "►" not in text(app))
        (song / "wait").unlink()
        (song / "wishes.jsonl").unlink()
        await pilot.press("space")
        await until(pilot, lambda: "► 0:10 to 0:18  B: with smaller-head" in text(app))
        as_it_is, changed = asked_of(song)
        assert (as_it_is["what"], as_it_is["changes"], changed["what"]) == ("sung", {}, "sung")
        assert changed["changes"]["convert"]["formant_semitones"] == 2.0
        assert player.made.names == [("a.wav", "b.wav")]
        child = screen.trial._pairs._preview._child
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "library" and child.returncode is not None)
        assert not [row for row in app.board.log if "preview" in row.text]


@on_stage
async def test_a_song_that_cannot_be_read_is_said(mine, library, song):
    async with studio(library, settings=quiet()) as (app, pilot):
        (song / "cover.toml").write_text("schema = 'x'", encoding="utf-8")
        await at_presets(app, pilot, song=song, on=("racks", "aaa"))
        await pilot.press("enter")
        assert "Apply: the open song cannot be read" in lines(app)[-2]
