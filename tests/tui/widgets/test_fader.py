"""A fader is moved by keys, wheel, drag and typing."""

import pytest
from drawing import Stage, on_stage, staged
from textual.binding import Binding

from covermaker.effects.spec import Spec, choice, switch
from covermaker.tui.widgets.fader import Fader
from covermaker.tui.widgets.scales import scale_of


def changes(app):
    return [(message.value, message.settled) for message in app.heard if isinstance(message, Fader.Changed)]


@pytest.mark.parametrize(
    ("charset", "drawn"),
    [
        ("unicode", "  vocal  ━━━━━━━━━━━━━━●╌╌╌╌╌    -2.5 dB   "),
        ("block", "  vocal  ██████████████■░░░░░    -2.5 dB   "),
        ("ascii", "  vocal  ==============O-----    -2.5 dB   "),
    ],
)
@on_stage
async def test_lying(charset, drawn):
    fader = Fader(label="vocal", label_cells=6, value=-2.5)
    async with staged(fader, size=(43, 3), charset=charset) as (app, pilot):
        app.set_focus(None)
        await pilot.pause()
        assert app.lines()[0] == drawn


@on_stage
async def test_focus_and_another_value_than_the_preset_are_signs_not_colours():
    fader = Fader(label="vocal", value=-2.5, was=-3.0)
    async with staged(fader, size=(43, 3)) as (app, pilot):
        fader.focus()
        await pilot.pause()
        assert app.lines()[0].startswith("> vocal")
        assert "-2.5 dB *" in app.lines()[0]
        fader.action_was()
        await pilot.pause()
        assert "-3.0 dB  " in app.lines()[0]


@on_stage
async def test_a_value_that_moves_is_marked_also_where_there_is_little_room():
    fader = Fader(label="vocal", value=-2.5, was=-3.0)
    async with staged(fader, size=(43, 3)) as (app, pilot):
        fader.moves = True
        await pilot.pause()
        assert "-2.5 dB*~" in app.lines()[0]
    standing = Fader(label="vocal", value=-12.5, standing=True)
    async with staged(standing, size=(9, 6)) as (app, pilot):
        standing.moves = True
        await pilot.pause()
        assert app.lines()[5].startswith("-12.5 dB~")


@on_stage
async def test_where_there_is_no_room_the_value_stays():
    async with staged(Fader(label="vocal"), size=(24, 1)) as (app, _):
        assert app.lines()[0].rstrip().endswith("0.0 dB")


@on_stage
async def test_standing():
    fader = Fader(label="vocal", value=0.0, standing=True)
    async with staged(fader, size=(12, 14)) as (app, pilot):
        app.set_focus(None)
        await pilot.pause()
        lines = [text.rstrip() for text in app.lines()]
        assert lines[0] == " vocal"
        assert lines[1] == " +6 │"
        assert lines[3] == "  0 ●"
        assert lines[-1].strip() == "0.0 dB"
        assert sum("●" in text for text in lines) == 1


@on_stage
async def test_actions_move_it_and_say_so_once():
    fader = Fader(value=-3.0)
    async with staged(fader, size=(40, 1)) as (app, pilot):
        fader.action_step(1)
        fader.action_fine(-2)
        fader.action_default()
        fader.action_default()
        await pilot.pause()
        assert changes(app) == [(-2.5, True), (-2.7, True), (0.0, True)]


@on_stage
async def test_the_wheel_is_half_a_decibel_and_a_double_click_the_default():
    fader = Fader(label="vocal", value=-3.0)
    async with staged(fader, size=(60, 1)) as (_, pilot):
        from textual import events

        def scroll(kind, ctrl=False):
            fader.post_message(kind(fader, 20, 0, 0, 0, 0, False, False, ctrl, screen_x=20, screen_y=0))

        scroll(events.MouseScrollUp)
        await pilot.pause()
        assert fader.value == -2.5
        scroll(events.MouseScrollDown, ctrl=True)
        await pilot.pause()
        assert fader.value == -2.6
        await pilot.double_click(Fader, offset=(20, 0))
        await pilot.pause()
        assert fader.value == 0.0


@on_stage
async def test_a_drag_settles_when_it_ends():
    fader = Fader(label="vocal", value=0.0)
    async with staged(fader, size=(60, 1)) as (app, pilot):
        await pilot.mouse_down(Fader, offset=(40, 0))
        await pilot.hover(Fader, offset=(20, 0))
        await pilot.mouse_up(Fader, offset=(20, 0))
        await pilot.pause()
        said = changes(app)
        assert [settled for _, settled in said][-1] is True
        assert not any(settled for _, settled in said[:-1])
        assert said[-1][0] == fader.value < -10.0


class Keyed(Stage):
    """An application whose keys would swallow what is typed."""

    BINDINGS = (Binding("k", "nothing", "Nothing"), Binding("escape", "nothing", "Nothing"))

    def action_nothing(self):
        self.heard.append("a key was taken away")


@on_stage
async def test_typing_takes_every_key_and_enter_the_value():
    fader = Fader(scale_of(Spec("cutoff_hz", "Hz", 20.0, 20_000.0, 1000.0, "log")), "cutoff_hz")
    app = Keyed(fader)
    async with app.run_test(size=(60, 1)) as pilot:
        fader.focus()
        fader.action_type()
        await pilot.press("7", "backspace", "6", ".", "8", "k")
        await pilot.pause()
        assert "6.8k_" in app.lines()[0]
        await pilot.press("enter")
        await pilot.pause()
        assert fader.value == 6800.0
        assert fader.typed is None
        assert changes(app) == [(6800.0, True)]
        fader.action_type()
        await pilot.press("5", "escape")
        await pilot.pause()
        assert fader.value == 6800.0
        assert "a key was taken away" not in app.heard
        await pilot.press("k")
        assert "a key was taken away" in app.heard


@on_stage
async def test_a_value_that_does_not_fit_is_refused_and_can_be_corrected():
    fader = Fader(label="vocal")
    async with staged(fader, size=(60, 1)) as (app, pilot):
        fader.focus()
        fader.action_type()
        await pilot.press("9", "9", "enter")
        await pilot.pause()
        refused = [message for message in app.heard if isinstance(message, Fader.Refused)]
        assert "out of range" in refused[0].words
        assert fader.typed == "99"
        await pilot.press("backspace", "enter")
        await pilot.pause()
        assert fader.value == 9.0


@pytest.mark.parametrize(
    ("spec", "texts"),
    [
        (switch("ping_pong", False, ""), ["off", "on", "on"]),
        (choice("slope_db", "dB/oct", (6.0, 12.0, 24.0), 12.0, ""), ["12 dB/oct", "24 dB/oct", "24 dB/oct"]),
    ],
)
@on_stage
async def test_switches_and_choices(spec, texts):
    fader = Fader(scale_of(spec), spec.name)
    async with staged(fader, size=(60, 1)) as (app, pilot):
        for text in texts:
            await pilot.pause()
            assert f" {text} " in app.lines()[0]
            fader.action_step(1)
