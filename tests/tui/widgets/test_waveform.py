"""The waveform: what it draws at which size, what it repaints, what it asks for."""

import numpy as np
import pytest
from drawing import on_stage, staged, wave

from covermaker.tui.widgets.charset import GLYPHS
from covermaker.tui.widgets.ruler import Axis, sections
from covermaker.tui.widgets.waveform import Waveform

SECTIONS = [(0.0, "intro"), (2.0, "verse"), (6.0, "日本語のサビ")]
CHARSETS = ["unicode", "block", "ascii"]


def full():
    widget = Waveform(wave(0.0, 0.25, 0.5, 1.0, 0.1))
    widget.show_sections(SECTIONS)
    seconds = np.arange(0, 10, 0.01)
    widget.show_pitch(seconds, np.where(seconds < 5, 220.0 * 2 ** (seconds / 5), 0.0))
    return widget


@pytest.mark.parametrize("view", [(0.0, 2.0), (3.0, 5.0), (8.0, 10.0)])
def test_a_stretch_before_the_first_section_is_blank(view):
    pieces = sections(Axis(*view, 40), [(7.0, "verse")], GLYPHS["ascii"])
    assert sum(cells for _, cells, _ in pieces) == 40
    assert "".join(text for text, _, _ in pieces).strip() == ("|verse" if view[1] > 7 else "")


@on_stage
async def test_sections_are_drawn_before_there_is_a_sound():
    widget = Waveform(None)
    widget.show_sections([(7.0, "verse")])
    async with staged(widget, size=(40, 8)) as (app, _):
        assert "verse" not in "".join(app.lines())


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("size", [(118, 8), (78, 5), (40, 12), (21, 3), (9, 2), (2, 1)])
@on_stage
async def test_every_size_is_filled_and_no_line_is_too_long(charset, size):
    async with staged(full(), size=size, charset=charset) as (app, _):
        from rich.cells import cell_len

        lines = app.lines()
        assert [cell_len(text) for text in lines] == [size[0]] * size[1]
        if charset == "ascii":
            assert all(text.isascii() for text in lines if "日" not in text)


@on_stage
async def test_loud_is_tall_and_quiet_is_low():
    async with staged(full(), size=(50, 11)) as (app, _):
        rows = app.lines()[:7]  # of 11: two of melody, a ruler, sections
        tall = [sum(row[column] != " " for row in rows) for column in (5, 15, 25, 35, 45)]
        assert tall[0] == 1
        assert tall[3] == 7
        assert tall[0] < tall[1] < tall[2] < tall[3]
        assert tall[4] < tall[1]


@on_stage
async def test_full_scale_has_another_look_than_loud():
    async with staged(full(), size=(50, 11)) as (app, _):
        widget = app.query_one(Waveform)
        assert app.style_at(35, 3).color == widget.look("waveform--clipped").color
        assert app.style_at(25, 3).color == widget.look("waveform--wave").color


@on_stage
async def test_ruler_sections_loop_and_melody_are_written():
    async with staged(full(), size=(80, 12)) as (app, pilot):
        widget = app.query_one(Waveform)
        widget.loop, widget.looping = (4.0, 8.0), True
        await pilot.pause()
        *_, melody_top, melody_low, ruler, sections = app.lines()
        assert ruler.startswith("0:00")
        assert ruler[32] == "["
        assert ruler[63] == "]"
        assert " loop 0:04 " in ruler
        assert sections[:7] == "│intro "
        assert sections[16:22] == "│verse"
        assert "日本語" in sections
        assert melody_top.startswith("A4 ")
        assert melody_low.startswith("A3 ")
        assert melody_low[45:].strip() == ""  # nothing is sung there
        widget.looping = False
        await pilot.pause()
        assert " loop off " in app.lines()[-2]


@on_stage
async def test_the_playhead_repaints_what_it_crosses_and_no_more():
    async with staged(full(), size=(100, 8)) as (app, pilot):
        widget = app.query_one(Waveform)
        drawn = []
        original = widget._draw
        widget._draw = lambda *size: drawn.append(size) or original(*size)
        widget.position = 5.0
        await pilot.pause()
        assert app.lines()[2][50] == "│"
        widget.refresh = lambda *regions, **options: drawn.append(regions)
        widget.position = 5.25
        assert [(region.x, region.width) for region in drawn[-1]] == [(50, 3)]
        count = len(drawn)
        widget.position = 5.26  # the same cell
        assert len(drawn) == count
        assert all(isinstance(entry, tuple) and not isinstance(entry[0], int) for entry in drawn)


@on_stage
async def test_zoom_pan_and_follow():
    async with staged(full(), size=(100, 8)) as (app, pilot):
        widget = app.query_one(Waveform)
        widget.position = 4.0
        widget.action_zoom(2.0)
        assert widget.view == pytest.approx((2.0, 7.0))
        widget.action_zoom(1e9)
        assert widget.view[1] - widget.view[0] == pytest.approx(0.05)
        widget.action_zoom(1e-9)
        assert widget.view == (0.0, 10.0)
        widget.action_zoom(5.0)
        widget.position = 9.0  # out of view: the page turns
        assert widget.view == pytest.approx((8.0, 10.0))
        widget.action_pan(-0.5)
        assert widget.view == pytest.approx((7.0, 9.0))
        widget.position = 2.0  # but not after the person has moved the view
        assert widget.view == pytest.approx((7.0, 9.0))
        await pilot.pause()
        assert "0:07.5" in app.lines()[-2]


@on_stage
async def test_a_click_seeks_and_a_drag_is_a_loop():
    async with staged(full(), size=(100, 8)) as (app, pilot):
        widget = app.query_one(Waveform)
        await pilot.click(Waveform, offset=(30, 2))
        await pilot.pause()
        sought = [message for message in app.heard if isinstance(message, Waveform.Sought)]
        assert [message.seconds for message in sought] == pytest.approx([3.0])
        await pilot.mouse_down(Waveform, offset=(60, 2))
        await pilot.hover(Waveform, offset=(39, 2))
        await pilot.mouse_up(Waveform, offset=(39, 2))
        await pilot.pause()
        assert widget.loop == pytest.approx((3.9, 6.0), abs=0.11)
        looped = [message for message in app.heard if isinstance(message, Waveform.Looped)]
        assert looped[-1].loop == widget.loop
        assert len([message for message in app.heard if isinstance(message, Waveform.Sought)]) == 1


@on_stage
async def test_loop_keys_and_the_section_at_hand():
    async with staged(full(), size=(100, 8)) as (app, pilot):
        widget = app.query_one(Waveform)
        widget.position = 3.0
        widget.action_loop_toggle()  # no loop yet: the section
        assert widget.loop == (2.0, 6.0)
        widget.action_loop_in()
        assert widget.loop == (3.0, 6.0)
        widget.position = 5.0
        widget.action_loop_out()
        assert widget.loop == (3.0, 5.0)
        widget.action_loop_toggle()
        await pilot.pause()
        assert not widget.looping
        assert [message.loop for message in app.heard if isinstance(message, Waveform.Looped)] == [
            (2.0, 6.0), (3.0, 6.0), (3.0, 5.0), None,
        ]  # fmt: skip
        widget.action_seek(-9.0)
        await pilot.pause()
        assert app.heard[-1].seconds == 0.0


@on_stage
async def test_without_a_sound_it_is_blank():
    async with staged(Waveform(), size=(40, 5)) as (app, pilot):
        widget = app.query_one(Waveform)
        widget.position = 3.0
        widget.action_zoom(2.0)
        widget.action_loop_in()
        await pilot.pause()
        assert "".join(app.lines()).strip() == ""


@on_stage
async def test_another_theme_and_character_set_are_taken_at_once():
    async with staged(full(), size=(50, 8)) as (app, pilot):
        widget = app.query_one(Waveform)
        before = app.style_at(15, 2).color
        app.theme = "dracula"
        await pilot.pause()
        assert app.style_at(15, 2).color != before
        widget.charset = "ascii"
        await pilot.pause()
        assert "#" in "".join(app.lines())
