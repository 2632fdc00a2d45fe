"""How faders move, write and read values."""

import pytest

from covermaker.effects import EFFECTS
from covermaker.effects.spec import OFF_DB, Spec, choice, file, switch
from covermaker.errors import UsageError
from covermaker.tui.widgets.scales import DbScale, NumberScale, scale_of

SPECS = [(name, spec) for name in EFFECTS.names() for spec in EFFECTS.load(name).SPECS]
LOG = scale_of(Spec("cutoff_hz", "Hz", 20.0, 20_000.0, 1000.0, "log"))
TIME = scale_of(Spec("hold_ms", "ms", 0.0, 2000.0, 40.0))
SHARE = scale_of(Spec("mix", "", 0.0, 1.0, 0.5))
SLOPE = scale_of(choice("slope_db", "dB/oct", (6.0, 12.0, 24.0), 12.0, ""))
SWITCH = scale_of(switch("ping_pong", False, ""))
WET = scale_of(Spec("wet_db", "dB", OFF_DB, 12.0, -16.0))


@pytest.mark.parametrize(("name", "spec"), SPECS, ids=[f"{name}.{spec.name}" for name, spec in SPECS])
def test_every_parameter_of_every_effect_has_a_fader(name, spec):
    scale = scale_of(spec)
    assert scale.default == spec.default
    assert 0.0 <= scale.fraction(spec.default) <= 1.0
    assert scale.parse(scale.text(spec.default)) == near(spec.default, rel=1e-3)
    value, seen = scale.at(0.0), []
    for _ in range(10_000):
        seen.append(value)
        following = scale.step(value, 1)
        if following == value:
            break
        assert scale.fraction(following) >= scale.fraction(value)
        value = following
    assert scale.fraction(value) == pytest.approx(1.0)
    assert len(seen) <= 501
    for value in seen[:: max(1, len(seen) // 7)]:
        assert scale.at(scale.fraction(value)) == near(value, rel=0.2, abs=1.0)


def near(value, **tolerance):
    """A number within a tolerance; a name as it is."""
    return value if isinstance(value, str) else pytest.approx(value, **tolerance)


def test_the_fader_law_gives_room_near_zero():
    fader = DbScale()
    assert fader.fraction(6.0) == 1.0
    assert fader.fraction(0.0) == pytest.approx(0.8)
    assert fader.fraction(-60.0) == fader.fraction(-96.0) == 0.0
    assert fader.fraction(24.0) == 1.0
    assert fader.fraction(0.0) - fader.fraction(-6.0) > fader.fraction(-24.0) - fader.fraction(-30.0)
    assert fader.at(fader.fraction(-7.5)) == -7.5
    assert fader.at(0.0) == -96.0


def test_steps_of_a_gain_are_half_and_tenth_decibels():
    fader = DbScale()
    assert fader.step(-3.0, 1) == -2.5
    assert fader.step(-3.0, -1, fine=True) == -3.1
    assert fader.step(0.2, -1, fine=True) == 0.1
    assert fader.step(-60.0, -1) == -96.0
    assert fader.step(-96.0, 1) == -60.0
    assert fader.step(24.0, 1) == 24.0


def test_a_log_scale_steps_by_semitones_and_is_never_held_fast():
    assert LOG.fraction(20.0) == 0.0
    assert LOG.fraction(20_000.0) == pytest.approx(1.0)
    assert LOG.fraction(632.0) == pytest.approx(0.5, abs=0.01)
    assert LOG.step(1000.0, 12) == 2000.0
    assert LOG.step(1000.0, 1, fine=True) == 1010.0
    value, steps = 20.0, 0
    while LOG.step(value, 1, fine=True) != value:
        value, steps = LOG.step(value, 1, fine=True), steps + 1
    assert value == 20_000.0
    assert steps < 700


@pytest.mark.parametrize(
    ("scale", "typed", "value"),
    [
        (DbScale(), "-2.5", -2.5),
        (DbScale(), " +3 dB ", 3.0),
        (DbScale(), "-2,5", -2.5),
        (DbScale(), "off", -96.0),
        (LOG, "6.8k", 6800.0),
        (LOG, "6.8 kHz", 6800.0),
        (LOG, "440 hz", 440.0),
        (TIME, "1.2 s", 1200.0),
        (TIME, ".5", 0.5),
        (SHARE, "35 %", 0.35),
        (NumberScale("semitones", -24, 24, default=0), "+2", 2.0),
        (SLOPE, "24", 24.0),
        (SLOPE, "24 dB/oct", 24.0),
        (SWITCH, "on", True),
        (SWITCH, "No", False),
        (WET, "off", OFF_DB),
    ],
)
def test_values_are_read_as_people_write_them(scale, typed, value):
    assert scale.parse(typed) == value


@pytest.mark.parametrize(
    ("scale", "typed", "words"),
    [
        (DbScale(), "loud", "'loud' is no value here.*-96 to 24 dB"),
        (DbScale(), "-2.5 Hz", "is no value here"),
        (DbScale(), "99", "out of range.*-96 to 24 dB"),
        (LOG, "5", "5 Hz is out of range.*20 to 20000 Hz"),
        (SLOPE, "7", "'7' is no value"),
        (SWITCH, "perhaps", "is no value"),
        (TIME, "20 %", "is no value"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(scale, typed, words):
    with pytest.raises(UsageError, match=words):
        scale.parse(typed)


@pytest.mark.parametrize(
    ("scale", "value", "text"),
    [
        (DbScale(), -2.5, "-2.5 dB"),
        (DbScale(), 0.0, "0.0 dB"),
        (DbScale(), 3.0, "+3.0 dB"),
        (WET, OFF_DB, "off"),
        (LOG, 6800.0, "6800 Hz"),
        (LOG, 83.3, "83.3 Hz"),
        (TIME, 0.5, "0.5 ms"),
        (SHARE, 0.35, "0.35"),
        (SLOPE, 12.0, "12 dB/oct"),
        (SWITCH, True, "on"),
    ],
)
def test_values_are_written_with_their_unit(scale, value, text):
    assert scale.text(value) == text


def test_a_file_stands_before_the_names():
    scale = scale_of(file("impulse", ("plate", "hall"), ""))
    assert scale.parse("Hall") == "hall"
    assert scale.parse(" rooms/My Church.wav ") == "rooms/My Church.wav"
    assert scale.text("rooms/My Church.wav") == "My Church.wav"
    assert scale.fraction("rooms/My Church.wav") == 0.0
    assert scale.step("rooms/My Church.wav", 1) == "plate"
    assert scale.step("plate", 1) == "hall"
    with pytest.raises(UsageError, match="nothing was written"):
        scale.parse(" ")
