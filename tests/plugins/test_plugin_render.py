"""Covers with plug-ins: rendered with them, without those that fail, or refused; nothing wrong is kept in the store."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from plugin_sounds import RATE, noise

from covermaker.audio.files import read
from covermaker.errors import ProjectError, ResourceError
from covermaker.graph.events import Note, StepFailed
from covermaker.render import tasks

if TYPE_CHECKING:
    from conftest import Scanned

COVER = """schema = 1
title = "Plugged"
[song]
file = "song.wav"
[stems]
separator = "provided"
files = { vocals = "vocals.wav", band = "band.wav" }
[[tracks]]
name = "vocals"
source = "vocals"
rack_lufs = "off"
rack = [%s]
[[tracks]]
name = "band"
source = "band"
sends = { room = -6.0 }
[[buses]]
name = "room"
rack = [%s]
[master]
loudness_lufs = "off"
"""
# Loud enough that the bad fixtures do what they do: not at once, and not in a first short block.
DRIVEN = '{ effect = "gain", gain_db = 20.0 }, { effect = "vst3", plugin = "%s" }, { effect = "gain", gain_db = -20.0 }'


@dataclass
class Cover:
    folder: Path
    store: Path

    def render(self, **options: object) -> tuple[dict[str, Any], list[Any]]:
        events: list[Any] = []
        request = {"project": str(self.folder), "store": str(self.store), **options}
        return tasks.render(request, events.append), events

    def write(self, rack: str, bus: str = "") -> None:
        (self.folder / "cover.toml").write_text(COVER % (rack, bus), encoding="utf-8")

    def mix(self, result: dict[str, Any]) -> np.ndarray:
        (file,) = [one for one in result["files"] if one.endswith(".wav")]
        return read(Path(file)).samples

    def notes(self) -> list[str]:
        return list(json.loads((self.folder / "out" / "render.json").read_text(encoding="utf-8"))["notes"])


@pytest.fixture
def cover(tmp_path: Path) -> Cover:
    folder = tmp_path / "cover"
    folder.mkdir()
    vocals, band = noise(RATE), 0.3 * noise(RATE, seed=2)
    for name, sound in {"vocals": vocals, "band": band, "song": vocals + band}.items():
        soundfile.write(folder / f"{name}.wav", sound.T, RATE, subtype="FLOAT")
    return Cover(folder, tmp_path / "store")


def ran(events: list[Any]) -> list[str]:
    return [event.name for event in events if type(event).__name__ == "StepFinished"]


def test_a_late_plugin_changes_nothing_and_its_steps_are_kept(fixtures: Scanned, cover: Cover) -> None:
    fixtures("Late")
    cover.write("")
    plain = cover.mix(cover.render()[0])
    cover.write('{ effect = "vst3", plugin = "Fixture Late" }')
    result, events = cover.render()
    assert np.array_equal(cover.mix(result), plain)
    assert "rack: vocals" in ran(events)
    assert ran(cover.render()[1]) == []
    assert not [note for note in cover.notes() if "plug-in" in note]


def test_a_late_plugin_on_a_bus_is_in_time_with_what_goes_beside_it(fixtures: Scanned, cover: Cover) -> None:
    fixtures("Late")
    cover.write("", '{ effect = "gain" }')
    plain = cover.mix(cover.render()[0])
    late = '{ effect = "vst3", plugin = "Fixture Late" }'
    cover.write("", late)
    assert np.array_equal(cover.mix(cover.render()[0]), plain)
    cover.write(late, f"{late}, {late}")
    assert np.array_equal(cover.mix(cover.render()[0]), plain)


LANE = """[[automation]]
target = 'tracks.vocals.rack."%s".gain_db'
points = [[0.0, -60.0], [0.5, 0.0]]
"""


def test_a_plugin_s_parameter_moves_over_the_song(fixtures: Scanned, cover: Cover) -> None:
    fixtures("Mover")
    # So quiet that the limiter has nothing to do.
    cover.write('{ effect = "gain", gain_db = -12.0 }, { effect = "vst3", plugin = "Fixture Mover" }')
    still = cover.mix(cover.render()[0])
    file = cover.folder / "cover.toml"
    file.write_text(file.read_text(encoding="utf-8") + LANE % "Fixture Mover", encoding="utf-8")
    result, events = cover.render()
    assert "rack: vocals" in ran(events)
    moving = cover.mix(result)
    half = RATE // 2 + 64
    np.testing.assert_allclose(moving[:, half:], still[:, half:], atol=1e-5)
    # At first there is next to nothing of the vocal: what is missing is what it was.
    vocals = read(cover.folder / "vocals.wav").samples * 10 ** (-12 / 20)
    np.testing.assert_allclose((still - moving)[:, :1000], vocals[:, :1000], atol=2e-3)
    assert ran(cover.render()[1]) == []


def test_automation_of_a_plugin_that_is_not_here_hinders_no_render(own_cache: Path, cover: Cover) -> None:
    cover.write("")
    plain = cover.mix(cover.render()[0])
    cover.write('{ effect = "vst3", plugin = "Elsewhere", parameters = { gain_db = -3.0 } }')
    file = cover.folder / "cover.toml"
    file.write_text(file.read_text(encoding="utf-8") + LANE % "Elsewhere", encoding="utf-8")
    result, _ = cover.render()
    assert np.array_equal(cover.mix(result), plain)
    assert [note for note in cover.notes() if "'Elsewhere'" in note]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Crash", "crashed (SIGABRT)"),
        pytest.param("Hang", "gave no answer", marks=pytest.mark.slow),
        pytest.param("Nan", "wrote NaN", marks=pytest.mark.slow),
    ],
)
def test_one_that_fails_is_left_out_with_a_note_and_what_is_made_without_it_has_another_key(
    fixtures: Scanned, cover: Cover, monkeypatch: pytest.MonkeyPatch, kind: str, words: str
) -> None:
    monkeypatch.setenv("COVERMAKER_PLUGIN_SECONDS", "2")
    fixtures(kind)
    cover.write(DRIVEN.replace('{ effect = "vst3", plugin = "%s" }, ', ""))
    plain = cover.mix(cover.render()[0])
    cover.write(DRIVEN % f"Fixture {kind}")
    result, events = cover.render()
    assert np.array_equal(cover.mix(result), plain)
    assert not [event for event in events if isinstance(event, StepFailed)]
    told = [event.text for event in events if isinstance(event, Note)]
    assert f"plug-in 'Fixture {kind}' {words}" in told[0]
    (note,) = [note for note in cover.notes() if "plug-in" in note]
    assert note.startswith(f"track 'vocals': plug-in 'Fixture {kind}' {words}")
    assert "covermaker plugins scan --again" in note
    # It is not waited for a second time, and is told of again.
    _, events = cover.render()
    assert ran(events) == []
    assert [event.text for event in events if isinstance(event, Note) and "track 'vocals'" in event.text]
    # Tried once more, it is run once more: nothing stands in the store under its own key.
    fixtures(kind, again=True)
    assert "rack: vocals" not in ran(
        cover.render()[1]
    )  # it failed again, and what was made without it is there
    with pytest.raises(ProjectError, match=rf"tracks\[0\].rack\[1\].plugin: plug-in 'Fixture {kind}'"):
        cover.render(strict=True)
    fixtures(kind, again=True)
    with pytest.raises(ResourceError, match=f"plug-in 'Fixture {kind}'"):
        cover.render(strict=True)


def test_a_missing_one_passes_by_with_a_note_or_is_refused(own_cache: Path, cover: Cover) -> None:
    cover.write("")
    plain = cover.mix(cover.render()[0])
    cover.write('{ effect = "vst3", plugin = "Nowhere" }', '{ effect = "vst3", plugin = "Neither" }')
    result, _ = cover.render()
    assert np.array_equal(cover.mix(result), plain)
    track, bus = (note for note in cover.notes() if "plug-in" in note)
    assert track.startswith("track 'vocals': plug-in 'Nowhere' is not")
    assert bus.startswith("bus 'room': plug-in 'Neither' is not")
    with pytest.raises(
        ProjectError, match=r"cover.toml:\d+: tracks\[0\].rack\[0\].plugin: plug-in 'Nowhere'"
    ):
        cover.render(strict=True)


def test_installing_it_makes_the_rack_again(
    fixtures: Scanned, cover: Cover, capfd: pytest.CaptureFixture[str]
) -> None:
    from covermaker.cli.main import run

    cover.write('{ effect = "vst3", plugin = "Fixture Mono" }')
    without = cover.mix(cover.render()[0])
    fixtures("Mono")
    run(["why", str(cover.folder), "--store", str(cover.store)])
    assert "rack: vocals\n  plug-in 'Fixture Mono' is heard now\nmix" in capfd.readouterr().out
    result, events = cover.render()
    assert "rack: vocals" in ran(events)
    assert not np.array_equal(cover.mix(result), without)


def test_the_same_plugin_elsewhere_is_the_same_step(
    built: Path, own_cache: Path, cover: Cover, tmp_path: Path
) -> None:
    from covermaker.effects.plugins.scan import scan

    cover.write('{ effect = "vst3", plugin = "Fixture Mono" }')
    for place in ("one", "other"):
        shutil.copytree(built / "Fixture Mono.vst3", tmp_path / place / "Fixture Mono.vst3")
        scan([tmp_path / place])
        made = ran(cover.render()[1])
        shutil.rmtree(tmp_path / place)
    assert made == []


def test_a_state_that_is_not_what_the_row_says_is_told(
    fixtures: Scanned, cover: Cover, capfd: pytest.CaptureFixture[str]
) -> None:
    from covermaker.cli.main import run

    fixtures("Gain")
    run(["plugins", "row", "Fixture Gain", "gain_db=-12"])
    row = capfd.readouterr().out.strip()
    cover.write(row, row)
    cover.render()
    assert "state" not in " ".join(cover.notes())
    other = row.replace("gain_db = -12", "gain_db = -2")
    cover.write(other, other)
    cover.render()
    said = "plug-in 'Fixture Gain': gain_db is -2 in its row and -12 in its state; the row counts"
    assert [note for note in cover.notes() if "state" in note] == [said, f"bus 'room': {said}"]


def test_a_preview_lives_on_without_what_crashes(fixtures: Scanned, cover: Cover) -> None:
    from covermaker.render.preview_jobs import serve, stretches
    from covermaker.render.previewing import Previewed

    fixtures("Crash")
    cover.write('{ effect = "gain", gain_db = 20.0 }')
    cover.render()
    request = {"project": str(cover.folder), "store": str(cover.store)}
    wish = {"id": 1, "start_seconds": 0.2, "seconds": 0.5, "what": "vocals"}
    plain = Path(stretches({**request, "wishes": [wish]}, lambda event: None)["made"][0]["file"])
    cover.write('{ effect = "gain", gain_db = 20.0 }, { effect = "vst3", plugin = "Fixture Crash" }')
    told: list[Any] = []
    serve(request, [json.dumps({**wish, "id": number}).encode() for number in (1, 2)], told.append)
    made = [one for one in told if isinstance(one, Previewed)]
    assert [one.id for one in made] == [1, 2]
    for one in made:
        assert one.notes
        assert one.notes[0].startswith("track 'vocals': plug-in 'Fixture Crash' crashed (SIGABRT)")
        assert np.array_equal(read(Path(one.file)).samples, read(plain).samples)
