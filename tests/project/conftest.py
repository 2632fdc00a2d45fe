import pytest
from laid_out import DOCUMENT

from covermaker.project.load import load


@pytest.fixture
def project(tmp_path):
    """Return a project with comments in every place."""
    folder = tmp_path / "cover"
    folder.mkdir()
    (folder / "cover.toml").write_text(DOCUMENT)
    return load(folder)
