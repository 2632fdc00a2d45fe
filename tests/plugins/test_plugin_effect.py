"""A plug-in as an effect: latency, streams, widths, tails, values, states, and everything that goes wrong."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from plugin_sounds import RATE, cut, in_place, noise, rack, row

from covermaker.effects.automation import Automation, Move
from covermaker.effects.plugins import process
from covermaker.effects.plugins.catalogue import catalogue
from covermaker.effects.plugins.failures import PluginFailed, failures, forget, remember
from covermaker.effects.plugins.host import Host, Wanted
from covermaker.effects.plugins.printed import KEPT_BYTES, Printed
from covermaker.effects.plugins.process import in_reserve
from covermaker.effects.plugins.row import absences, refuse_absent, specs_of
from covermaker.effects.rack import parse_rack, rack_params
from covermaker.effects.vst3 import Vst3
from covermaker.errors import ProjectError, ResourceError, UsageError

if TYPE_CHECKING:
    from conftest import Scanned

CHAIN = (
    {"effect": "eq", "band1_db": -6.0},
    {"effect": "gate", "threshold_db": -30.0},
    {"effect": "delay", "time_ms": 17.0, "feedback": 0.4},
)
COMPRESSOR = {"threshold_db": -30.0, "ratio": 4.0, "attack_ms": 1.0, "release_ms": 50.0}


def loud(frames: int = 4000) -> np.ndarray:
    """Return a sound that makes the bad fixtures do what they do, after a while."""
    sound = noise(frames)
    sound[:, frames // 2] = 2.0
    return sound


# Latency and streams


def test_a_late_plugin_is_put_back_to_the_sample(fixtures: Scanned) -> None:
    fixtures("Late")
    sound = noise(9001)
    made = rack(row("Fixture Late"))
    assert made.latency_samples >= 1000
    assert np.array_equal(in_place(made, sound), sound)
    assert not cut(rack(row("Fixture Late")), sound, 700)[:, : made.latency_samples].any()


@pytest.mark.parametrize("size", [1, 63, 64, 65, 512, 8192])
def test_a_chain_with_a_late_plugin_nulls_against_the_chain_shifted(fixtures: Scanned, size: int) -> None:
    fixtures("Late")
    sound = noise(3000 if size == 1 else 20000)
    plain = rack(*CHAIN).process(sound)
    assert np.array_equal(in_place(rack(CHAIN[0], row("Fixture Late"), *CHAIN[1:]), sound, size), plain)


def test_one_that_does_not_say_that_it_is_late_is_told_so_by_hand(fixtures: Scanned) -> None:
    fixtures("Unsaid")
    sound = noise(5000)
    assert np.array_equal(in_place(rack(row("Fixture Unsaid", latency_samples=1000)), sound), sound)
    unsaid = in_place(rack(row("Fixture Unsaid")), sound)
    assert np.array_equal(unsaid[:, 1000:], sound[:, :-1000])


def test_any_cut_gives_the_same_bits_though_the_plugin_counts_blocks(fixtures: Scanned) -> None:
    fixtures("Gain")
    made = [row("Fixture Gain", parameters={"gain_db": -12.0})]
    sound = noise(9000)
    whole = rack(*made).process(sound)
    assert not np.array_equal(whole[:, 511:], sound[:, :-511])
    for size in (1, 63, 64, 65, 512, 8192):
        assert np.array_equal(cut(rack(*made), sound, size), whole), size
    pieces, stream, at = [], rack(*made), 0
    rng = np.random.default_rng(7)
    while at < sound.shape[1]:
        size = int(rng.integers(1, 1500))
        pieces.append(stream.process(sound[:, at : at + size]))
        at += size
    assert np.array_equal(np.concatenate(pieces, axis=1), whole)


def test_noise_that_the_host_library_sends_at_loading_is_never_heard(fixtures: Scanned) -> None:
    fixtures("Keeper")  # it plays what it got 20000 samples later, and forgets nothing when it is reset
    made = rack(row("Fixture Keeper"))
    assert not made.process(np.zeros((2, 60000), np.float32)).any()


@pytest.mark.parametrize("frames", [0, 1, 511, 512, 513])
def test_shape_is_kept_and_the_input_left_alone(fixtures: Scanned, frames: int) -> None:
    fixtures("Gain")
    sound = noise(frames)
    before = sound.copy()
    made = rack(row("Fixture Gain")).process(sound)
    assert made.shape == sound.shape
    assert made.dtype == np.float32
    assert np.array_equal(sound, before)
    assert not np.shares_memory(made, sound)


# Widths and tails


def test_mono_only_runs_once_a_channel(fixtures: Scanned) -> None:
    fixtures("Mono")
    sound = noise(5000)
    both = in_place(rack(row("Fixture Mono")), sound)
    for channel in (0, 1):
        alone = in_place(rack(row("Fixture Mono"), channels=1), sound[channel : channel + 1])
        assert np.array_equal(both[channel], alone[0])
    assert not np.array_equal(both[0], both[1])


def test_stereo_only_takes_mono_too(fixtures: Scanned) -> None:
    fixtures("Late")
    sound = noise(4000, channels=1)
    assert np.array_equal(in_place(rack(row("Fixture Late"), channels=1), sound), sound)


def test_the_tail_is_measured_and_holds(fixtures: Scanned) -> None:
    fixtures("Tail", "Late")
    made = rack(row("Fixture Tail"))
    seconds = made.tail_seconds()
    # Half as loud every 4410 samples: 90 dB are 15 times.
    assert 1.4 < seconds < 3.0
    made.process(np.clip(noise(RATE) * 10, -1, 1))
    silence = np.zeros((2, round(seconds * RATE) + made.latency_samples), np.float32)
    made.process(silence)
    assert np.abs(made.process(np.zeros((2, 20000), np.float32))).max() < 10 ** (-90 / 20)
    assert rack(row("Fixture Late")).tail_seconds() == 0.0  # being late is no tail


# Values, keys, states


def test_values_reach_the_plugin(fixtures: Scanned) -> None:
    fixtures("Gain")
    sound = noise(60000)
    made = in_place(rack(row("Fixture Gain", parameters={"gain_db": -12.0})), sound)
    assert np.allclose(made[:, 40000:], sound[:, 40000:] * 10 ** (-12 / 20), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            {"parameters": {"gain": 1.0}},
            r"rack\[0\].parameters.gain is no parameter .*did you mean 'gain_db'",
        ),
        ({"parameters": {"gain_db": 21.0}}, r"parameters.gain_db = 21.0 is above 20 .*-60 to 20 dB"),
        ({"parameters": {"gain_db": -61}}, r"parameters.gain_db = -61 is below -60"),
        ({"parameters": {"gain_db": float("nan")}}, "must be a finite number"),
        ({"parameters": {"gain_db": "loud"}}, "must be a number"),
        ({"parameters": {"mode": "Medium"}}, "is not allowed .*Soft, Hard, Off"),
        ({"parameters": [1]}, "must be a table"),
        ({"gain_db": 1.0}, r"write it as parameters = \{ gain_db = … \}"),
        ({"statee": ""}, "did you mean 'state'"),
        ({"state": "no base 64!"}, "is damaged"),
        ({"latency_samples": -1}, "is below 0"),
        ({"sidechain": "vocals"}, "listens to nothing but its own sound"),
    ],
)
def test_mistakes_in_a_row_are_told(fixtures: Scanned, bad: dict[str, object], message: str) -> None:
    fixtures("Gain")
    with pytest.raises(ProjectError, match=message):
        parse_rack([row("Fixture Gain", **bad)], where="rack")


@pytest.mark.parametrize("plugin", [None, "", 3])
def test_a_row_names_its_plugin(plugin: object) -> None:
    with pytest.raises(ProjectError, match=r"rack\[0\].plugin .*covermaker plugins list"):
        parse_rack([{"effect": "vst3"} if plugin is None else row(plugin)], where="rack")  # type: ignore[arg-type]


def test_the_key_holds_what_it_is_and_how_it_is_set_not_where(fixtures: Scanned, built: Path) -> None:
    fixtures("Gain")
    (params,) = rack_params(parse_rack([row("Fixture Gain", parameters={"gain_db": 3})], where="rack"))
    values = params["values"]
    assert values["release"] == "1.2.3"
    assert values["vendor"] == "Covermaker tests"
    assert len(values["sha256"]) == 64
    assert values["parameters.gain_db"] == 3.0
    assert str(built) not in str(params)
    (other,) = rack_params(parse_rack([row("Fixture Gain", parameters={"gain_db": 4})], where="rack"))
    assert other != params


def test_the_parameters_of_a_row_can_be_listed(fixtures: Scanned) -> None:
    fixtures("Gain")
    (setting,) = parse_rack([row("Fixture Gain")], where="rack")
    assert [spec.name for spec in specs_of(setting.values)] == ["parameters.gain_db", "parameters.mode"]
    assert setting.title == "Fixture Gain"
    assert [spec.name for spec in Vst3.specs_of(setting.values)] == ["parameters.gain_db", "parameters.mode"]


def _wanted(name: str, *, state: str = "", values: dict[int, float | str | bool] | None = None) -> Wanted:
    found = catalogue().find(name)
    assert found is not None
    return Wanted(found.bundle.path, name, "x", state, values or {})


def test_a_state_restores_what_values_cannot_and_is_compared(fixtures: Scanned) -> None:
    fixtures("Gain")
    by_values = Host(_wanted("Fixture Gain", values={1: -12.0, 2: "Hard"}), RATE, 2)
    assert by_values.values[2] == "Hard"
    assert by_values.values[1] == pytest.approx(-12.0, abs=1e-3)
    sound = noise(5120)
    whole = by_values.process(sound)
    by_state = Host(_wanted("Fixture Gain", state=by_values.state), RATE, 2)
    assert np.array_equal(by_state.process(sound), whole)
    same = parse_rack([row("Fixture Gain", state=by_values.state, parameters={"gain_db": -12.0})], where="r")
    assert Vst3(same[0].values, RATE, 2).notes() == ()
    other = parse_rack([row("Fixture Gain", state=by_values.state, parameters={"gain_db": 5.0})], where="r")
    (note,) = Vst3(other[0].values, RATE, 2).notes()
    assert "gain_db is 5 in its row and -12 in its state; the row counts" in note


# What goes wrong


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("Crash", r"plug-in 'Fixture Crash' crashed \(SIGABRT\); it said: fixture: about to fall"),
        ("Hang", "plug-in 'Fixture Hang' gave no answer within 2 s"),
        ("Nan", "plug-in 'Fixture Nan' wrote NaN or infinite samples"),
        ("Shifty", "refused: its latency changed from 0 to 77 samples"),
    ],
)
def test_a_plugin_that_fails_is_blamed_and_left_out_from_then_on(
    fixtures: Scanned, monkeypatch: pytest.MonkeyPatch, kind: str, message: str
) -> None:
    monkeypatch.setenv("COVERMAKER_PLUGIN_SECONDS", "2")
    fixtures(kind)
    rows = [row(f"Fixture {kind}")]
    keys = rack_params(parse_rack(rows, where="rack"))
    made = rack(*rows)
    with pytest.raises(PluginFailed, match=message) as raised:
        cut(made, loud(), 1000)
    assert "covermaker plugins scan --again" in str(raised.value.hint)
    remember(raised.value)
    settings = parse_rack(rows, where="rack")
    (told,) = absences(settings, "track 'vocals'")
    assert told.startswith(f"track 'vocals': plug-in 'Fixture {kind}'")
    assert "the sound passes it by" in told
    assert rack_params(settings) != keys
    assert np.array_equal(rack(*rows).process(loud()), loud())
    # Other values are another try; so is the same after it was asked for.
    assert absences(parse_rack([row(f"Fixture {kind}", state="AAAA")], where="rack"), "x") == []
    assert forget() == [f"Fixture {kind}"]
    assert rack_params(parse_rack(rows, where="rack")) == keys


def test_a_failing_plugin_takes_nothing_with_it(fixtures: Scanned) -> None:
    fixtures("Crash", "Late")
    crashing, other = rack(row("Fixture Crash")), rack(row("Fixture Late"))
    sound = noise(4000)
    first = other.process(sound[:, :2000])
    with pytest.raises(PluginFailed):
        crashing.process(loud())
    whole = np.concatenate([first, other.process(sound[:, 2000:])], axis=1)
    assert np.array_equal(whole, rack(row("Fixture Late")).process(sound))


def test_what_plugins_print_reaches_no_terminal(fixtures: Scanned, capfd: pytest.CaptureFixture[str]) -> None:
    fixtures("Gain")
    rack(row("Fixture Gain")).process(noise(3000))
    assert capfd.readouterr() == ("", "")


def test_a_missing_plugin_passes_the_sound_by_and_is_told(fixtures: Scanned) -> None:
    sound = noise(3000)
    rows = [row("Fixture Lat", parameters={"depth": 3, "mode": "Hard"})]
    assert (
        "look for plug-ins: covermaker plugins scan" in absences(parse_rack(rows, where="rack"), "bus 'a'")[0]
    )
    assert np.array_equal(rack(*rows).process(sound), sound)
    assert rack(*rows).tail_seconds() == 0.0
    fixtures("Late")
    (told,) = absences(parse_rack(rows, where="rack"), "bus 'a'")
    assert "bus 'a': plug-in 'Fixture Lat' is not on this machine" in told
    assert "did you mean 'Fixture Late'?" in told
    with pytest.raises(ProjectError, match="must be a number, a text"):
        parse_rack([row("Fixture Lat", parameters={"depth": []})], where="rack")


def test_a_blocked_plugin_says_why(fixtures: Scanned) -> None:
    fixtures("CrashAtOnce")
    (told,) = absences(parse_rack([row("Fixture CrashAtOnce")], where="rack"), "the master")
    assert "is blocked, it crashed (SIGABRT) when it was loaded" in told
    assert "covermaker plugins scan --again" in told


def test_a_bypassed_plugin_is_not_missed() -> None:
    assert absences(parse_rack([row("Nowhere", bypass=True)], where="rack"), "x") == []


def test_a_bypass_that_moves_is_no_absence() -> None:
    rows = parse_rack([row("Nowhere", bypass=True)], where="rack")
    moves = (Move(0, "bypass", Automation(((0.0, 1.0), (2.0, 0.0)), "hold")),)
    assert "Nowhere" in absences(rows, "x", moves)[0]
    with pytest.raises(ProjectError, match=r"rack\[0\].plugin: .*Nowhere"):
        refuse_absent(rows, "rack", moves)
    refuse_absent(rows, "rack")


def test_of_what_is_printed_the_end_is_kept_and_nobody_waits() -> None:
    said, saying = os.pipe()
    printed = Printed(said)
    for _ in range(64):
        os.write(saying, b"x" * 65536)
    os.write(saying, b"the last words")
    assert printed.last() == (b"x" * KEPT_BYTES + b"the last words")[-KEPT_BYTES:]
    os.close(saying)
    for _ in range(100):
        if printed._pipe < 0:
            break
        time.sleep(0.02)
    assert printed._pipe < 0
    assert printed.last().endswith(b"words")


def test_a_plugin_that_holds_pythons_lock_dies_with_its_host() -> None:
    code = (
        "import ctypes, os, sys\n"
        "from covermaker.effects.plugins.child import _die_with_parent\n"
        "_die_with_parent(int(sys.argv[1]))\n"
        "os.write(1, b'ready')\n"
        "ctypes.PyDLL(None).sleep(60)\n"  # keeps Python's lock
    )
    held, lifeline = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", code, str(held)], pass_fds=[held], stdout=subprocess.PIPE
    ) as child:
        os.close(held)
        assert child.stdout is not None
        assert child.stdout.read(5) == b"ready"
        time.sleep(0.2)
        assert child.poll() is None
        os.close(lifeline)
        assert child.wait(20.0) == -9


def test_two_who_remember_at_once_lose_nothing(own_cache: Path) -> None:
    def failed(name: str) -> PluginFailed:
        error = PluginFailed("it crashed")
        error.plugin, error.settings = name, name
        return error

    names = [f"plug-in {number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: remember(failed(name)), names))
    assert sorted(failures()) == sorted(names)
    assert forget(names[0]) == [names[0]]
    assert len(forget()) == 23


def test_a_plugin_that_changed_is_not_used_before_it_was_looked_at(
    built: Path, own_cache: Path, tmp_path: Path
) -> None:
    import shutil

    from covermaker.effects.plugins.scan import scan

    shutil.copytree(built / "Fixture Late.vst3", tmp_path / "Fixture Late.vst3")
    scan([tmp_path])
    rows = [row("Fixture Late")]
    assert absences(parse_rack(rows, where="rack"), "x") == []
    os.utime(next(tmp_path.rglob("*.so")), ns=(5, 5))
    assert "has changed since it was looked at" in absences(parse_rack(rows, where="rack"), "x")[0]
    shutil.rmtree(tmp_path / "Fixture Late.vst3")
    assert "is not on this machine" in absences(parse_rack(rows, where="rack"), "x")[0]


def test_the_process_ends_with_the_stream(fixtures: Scanned) -> None:
    fixtures("Late")
    host = Host(_wanted("Fixture Late"), RATE, 2)
    child = host._process.child
    del host
    gc.collect()
    assert child.poll() is not None


def test_a_process_in_reserve_is_taken_and_not_left_behind(fixtures: Scanned) -> None:
    fixtures("Late")
    sound = noise(3000)
    plain = rack(row("Fixture Late")).process(sound)
    with in_reserve():
        first = Host(_wanted("Fixture Late"), RATE, 2)
        waiting = process._reserve.process
        assert waiting is not None
        second = Host(_wanted("Fixture Late"), RATE, 2)
        assert second._process is waiting
        assert first._process is not waiting
        waiting = process._reserve.process
        assert waiting is not None
        waiting.child.kill()
        waiting.child.wait()
        assert np.array_equal(rack(row("Fixture Late")).process(sound), plain)
        waiting = process._reserve.process
        assert waiting is not None
    assert process._reserve.process is None
    assert waiting.child.poll() is not None


def test_a_hanging_plugin_ends_when_its_host_is_killed(fixtures: Scanned) -> None:
    fixtures("Hang")
    code = (
        "import numpy as np\n"
        "from covermaker.effects.vst3 import Vst3\n"
        "from covermaker.effects.rack import parse_rack\n"
        "s, = parse_rack([{'effect': 'vst3', 'plugin': 'Fixture Hang'}], where='r')\n"
        "v = Vst3(s.values, 44100, 2)\n"
        "print(v._host._process.child.pid, flush=True)\n"
        "v.process(np.full((2, 1024), 2.0, np.float32))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.5)
        parent.kill()
    for _ in range(400):
        try:
            if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
                return
        except OSError:  # gone, before it was opened or while it was read
            return
        time.sleep(0.05)
    pytest.fail("the plug-in's process is still there")


def test_a_failure_is_remembered_where_the_disk_refuses(
    fixtures: Scanned, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixtures("Crash")
    with pytest.raises(PluginFailed) as raised:
        cut(rack(row("Fixture Crash")), loud(), 1000)

    def refuse(path: Path, text: str) -> None:
        raise ResourceError(f"cannot write '{path}': the disk is read-only")

    with monkeypatch.context() as patch:
        patch.setattr("covermaker.effects.plugins.failures.write_text", refuse)
        remember(raised.value)
    assert absences(parse_rack([row("Fixture Crash")], where="rack"), "x")
    assert not list(own_cache.rglob("failed.json"))
    forget()
    assert failures() == {}


def test_how_long_to_wait_must_be_a_number(fixtures: Scanned, monkeypatch: pytest.MonkeyPatch) -> None:
    fixtures("Late")
    monkeypatch.setenv("COVERMAKER_PLUGIN_SECONDS", "soon")
    with pytest.raises(UsageError, match="is no number of seconds"):
        rack(row("Fixture Late"))
    assert failures() == {}


# The plug-ins of a distribution


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plugin", "values"),
    [
        ("ZamCompX2", COMPRESSOR),
        ("ZaMaximX2", {"threshold_db": -20.0}),
        ("ZamDelay", {"feedback": 0.5}),
        ("ZamGate", {"threshold_db": -20.0, "attack_ms": 1.0}),
    ],
)
def test_zam_plugins_keep_the_promises(zam: Scanned, plugin: str, values: dict[str, float]) -> None:
    zam(plugin)
    rows = [row(plugin, parameters=values)]
    sound = noise(30000)
    whole = rack(*rows).process(sound)
    assert np.isfinite(whole).all()
    assert whole.any()
    assert np.array_equal(cut(rack(*rows), sound, 1000), whole)
    assert np.array_equal(cut(rack(*rows), sound, 8192), whole)
    late = rack(*rows).latency_samples
    assert not whole[:, :late].any()
    again = rack(row(plugin)).process(sound)
    assert not np.array_equal(again, whole)


def test_a_compressor_is_in_its_place(zam: Scanned) -> None:
    """Threshold 0 and ratio 1 leave the sound alone: it must come out where it went in."""
    zam("ZamCompX2")
    sound = noise(20000)
    made = in_place(rack(row("ZamCompX2", parameters={"threshold_db": 0.0, "ratio": 1.0})), sound)
    assert np.allclose(made, sound, atol=1e-6)
