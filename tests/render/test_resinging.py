"""A stretch that is sung another way: only the vocal is another, nothing is saved, and only after a render."""

from pathlib import Path

import numpy as np
import pytest

from covermaker.audio.files import read
from covermaker.errors import UsageError
from covermaker.graph.events import StepFinished, StepProgress
from covermaker.graph.store import Store
from covermaker.project.load import load
from covermaker.render.preview import Previewer
from covermaker.render.previewing import SUNG, Wish
from covermaker.render.sounds import find_sounds

START, SECONDS = 1.0, 1.5
HEAD = {"convert.formant_semitones": 4.0}


@pytest.fixture
def told():
    return []


@pytest.fixture
def sings(copy_of, told):
    """Returns the sound (2, frames) of the stretch with changes, and its rate."""
    previewer = Previewer(copy_of.project, Store(copy_of.store), listener=told.append)

    def sung(changes=None, start=START, seconds=SECONDS):
        made = previewer.make(Wish(1, start, seconds, SUNG, changes or {}))
        sound = read(Path(made.file))
        assert made.seconds == pytest.approx(sound.samples.shape[1] / sound.sample_rate)
        return sound.samples, sound.sample_rate, made

    return sung


def test_a_stretch_is_sung_as_a_render_would(copy_of, sings, told):
    before = (copy_of.project / "cover.toml").read_bytes()
    outputs = sorted(file.name for file in (copy_of.project / "out").rglob("*"))
    as_it_is, rate, made = sings()
    assert as_it_is.shape == (2, round(SECONDS * rate))
    sounds = find_sounds(load(copy_of.project), Store(copy_of.store))
    master = read(sounds.master, start=round(made.start_seconds * rate), frames=as_it_is.shape[1]).samples
    assert np.corrcoef(as_it_is.ravel(), master.ravel())[0, 1] > 0.9  # its racks begin anew
    assert {event.name for event in told if isinstance(event, StepProgress)} >= {"convert (preview)"}
    told.clear()
    other, _, _ = sings(HEAD)
    assert np.abs(other - as_it_is).max() > 0.05
    again, _, made_again = sings()
    assert np.array_equal(again, as_it_is)
    assert made_again.file != made.file
    assert "separate" not in {event.name for event in told if isinstance(event, StepFinished)}
    assert (copy_of.project / "cover.toml").read_bytes() == before
    assert sorted(file.name for file in (copy_of.project / "out").rglob("*")) == outputs


def test_what_was_not_rendered_is_not_begun(copy_of, sings):
    with pytest.raises(UsageError, match="not rendered yet"):
        sings(
            {
                "stems": {
                    "separator": "provided",
                    "files": {name: str(copy_of.song) for name in ("vocals", "other")},
                }
            }
        )
    with pytest.raises(UsageError, match="after the song's end"):
        sings(start=1e4)
    with pytest.raises(UsageError, match=r"not 31 s"):
        sings(seconds=31.0)
