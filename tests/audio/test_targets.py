import pytest

from covermaker.audio.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_can_be_mastered_to_and_says_what_it_is(name):
    target = TARGETS[name]
    assert -40.0 <= target.loudness_lufs <= -5.0
    assert -12.0 <= target.true_peak_dbtp <= 0.0
    assert target.about.endswith(".")
    assert "\n" not in target.about
    assert name == name.lower()
    assert target.levels == {"loudness_lufs": target.loudness_lufs, "true_peak_dbtp": target.true_peak_dbtp}


@pytest.mark.parametrize(
    ("name", "lufs", "dbtp"),
    [
        ("spotify", -14, -1), ("apple", -16, -1), ("youtube", -14, -1), ("tidal", -14, -1), ("amazon", -14, -2),
        ("deezer", -15, -1), ("ebu-r128", -23, -1), ("atsc-a85", -24, -2), ("club", -8, -1),
    ],
)  # fmt: skip
def test_the_levels_that_platforms_publish(name, lufs, dbtp):
    assert (TARGETS[name].loudness_lufs, TARGETS[name].true_peak_dbtp) == (lufs, dbtp)
