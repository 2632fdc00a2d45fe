"""Note lengths against what a score says."""

from __future__ import annotations

import itertools

import pytest
from effect_signals import RATE, MakeRack

from covermaker.effects.rack import parse_rack
from covermaker.effects.spec import Value
from covermaker.effects.sync import SYNC_OFF, SYNCS, is_synced, synced_ms, with_tempo
from covermaker.errors import ProjectError


@pytest.mark.parametrize(
    ("sync", "expected_ms"),
    [
        ("1/1", 2000.0),
        ("1/2", 1000.0),
        ("1/4", 500.0),
        ("1/8", 250.0),
        ("1/16", 125.0),
        ("1/4d", 750.0),
        ("1/8d", 375.0),
        ("1/4t", 1000.0 / 3),
        ("1/8t", 500.0 / 3),
    ],
)
def test_notes_at_120_beats_a_minute(sync: str, expected_ms: float) -> None:
    assert synced_ms(sync, 120.0) == pytest.approx(expected_ms, rel=1e-12)
    assert synced_ms(sync, 60.0) == pytest.approx(2 * expected_ms, rel=1e-12)


@pytest.mark.parametrize("base", ["1/1", "1/2", "1/4", "1/8", "1/16"])
def test_dots_and_triplets(base: str) -> None:
    """A dotted note is one and a half; three triplets are two."""
    plain = synced_ms(base, 97.3)
    assert synced_ms(f"{base}d", 97.3) == pytest.approx(1.5 * plain)
    assert 3 * synced_ms(f"{base}t", 97.3) == pytest.approx(2 * plain)


def test_the_table_is_in_order() -> None:
    assert SYNCS[0] == SYNC_OFF
    assert len(set(SYNCS)) == len(SYNCS)
    plain = [name for name in SYNCS[1:] if name[-1] not in "dt"]
    for longer, shorter in itertools.pairwise(plain):
        assert synced_ms(longer, 100.0) == pytest.approx(2 * synced_ms(shorter, 100.0))


@pytest.mark.parametrize("tempo_bpm", [0.0, -120.0, float("nan"), float("inf")])
def test_no_tempo(tempo_bpm: float) -> None:
    with pytest.raises(ValueError, match="a tempo of"):
        synced_ms("1/4", tempo_bpm)


@pytest.mark.parametrize("sync", ["off", "1/3", "", "quarter"])
def test_no_note(sync: str) -> None:
    with pytest.raises(ValueError, match="no note length"):
        synced_ms(sync, 120.0)


def test_only_what_is_synced_follows_the_tempo() -> None:
    off: dict[str, Value] = {"sync": "off", "time_ms": 123.0}
    assert not is_synced(off)
    assert not is_synced({"time_ms": 123.0})
    assert with_tempo(off, 120.0) == off
    echo: dict[str, Value] = {"sync": "1/8d", "time_ms": 123.0, "feedback": 0.2}
    assert is_synced(echo)
    assert with_tempo(echo, 120.0) == {"sync": "1/8d", "time_ms": 375.0, "feedback": 0.2}
    assert echo["time_ms"] == 123.0
    assert with_tempo({"sync": "1/4", "rate_hz": 5.0}, 120.0) == {"sync": "1/4", "rate_hz": 2.0}


def test_a_whole_note_at_a_slow_tempo_is_longer_than_any_time_ms(rack: MakeRack) -> None:
    """The song decides, not the fader's range: 6 s."""
    import numpy as np

    from covermaker.effects.delay import Delay

    (setting,) = parse_rack([{"effect": "delay", "sync": "1/1", "wet_db": 0.0}], where="rack")
    effect = Delay(with_tempo(setting.values, 40.0), RATE, 1)
    click = np.zeros((1, 7 * RATE), np.float32)
    click[0, 0] = 1.0
    out = effect.process(click)
    assert not out[0, 1 : 6 * RATE].any()
    assert np.abs(out[0, 6 * RATE :]).max() > 0.05


@pytest.mark.parametrize("effect", ["delay", "tremolo"])
def test_an_unknown_note_is_refused_with_the_list(effect: str) -> None:
    with pytest.raises(ProjectError, match=r"sync = '1/5' is not allowed.*1/4d"):
        parse_rack([{"effect": effect, "sync": "1/5"}], where="rack")


def test_feedback_of_one_is_refused_with_its_range() -> None:
    with pytest.raises(ProjectError, match=r"feedback = 1.0 is above 0.95.*0 to 0.95"):
        parse_rack([{"effect": "delay", "feedback": 1.0}], where="rack")
