"""``covermaker presets``: two applies never mix, and equal names are told apart."""

from covermaker.cli.main import run
from covermaker.errors import ExitCode
from covermaker.project.load import load

LEVELS = "loudness_lufs = -12.0\ntrue_peak_dbtp = -1.0\n"


def test_the_second_master_leaves_nothing_of_the_first(new, preset, tmp_path):
    preset("masters", "bright", LEVELS + 'rack = [{ effect = "gain", gain_db = 1.0 }]\n')
    preset("masters", "plain", LEVELS)
    assert new() == 0
    assert run(["presets", "apply", "bright", "cover"]) == 0
    assert load(tmp_path / "cover").cover.master.rack == [{"effect": "gain", "gain_db": 1.0}]
    assert run(["presets", "apply", "plain", "cover"]) == 0
    assert load(tmp_path / "cover").cover.master.rack == []


def test_a_rack_and_a_master_of_one_name(new, preset, tmp_path, capsys):
    preset("masters", "warm", LEVELS)
    preset("racks", "warm", 'rack = [{ effect = "gain", gain_db = 1.0 }]\n')
    assert new() == 0
    for command in (["show", "warm"], ["apply", "warm", "cover"]):
        capsys.readouterr()
        assert run(["presets", *command]) == ExitCode.USAGE
        assert "add --kind rack or --kind master" in capsys.readouterr().err
    assert run(["presets", "apply", "warm", "cover", "--kind", "master"]) == 0
    assert load(tmp_path / "cover").cover.master.loudness_lufs == -12.0
    assert run(["presets", "apply", "warm", "cover", "--kind", "rack"]) == 0
    assert load(tmp_path / "cover").cover.tracks[0].rack == [{"effect": "gain", "gain_db": 1.0}]
    assert run(["presets", "show", "streaming", "--kind", "rack"]) == ExitCode.USAGE
