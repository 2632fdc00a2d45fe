"""The comments of a new project name what there is."""

from covermaker.features.pitch import METHODS


def test_every_pitch_method_is_named(new, tmp_path):
    assert new() == 0
    line = next(
        line
        for line in (tmp_path / "cover" / "cover.toml").read_text().splitlines()
        if line.startswith("pitch =")
    )
    assert line.partition("# ")[2].split(" | ") == METHODS.names()
    assert "rmvpe" in line
