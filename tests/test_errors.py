"""What an error says to do next."""

import pytest

from covermaker.errors import nearest


@pytest.mark.parametrize(
    ("name", "known", "says"),
    [
        ("hidden_channels", ["critics_channels", "hidden", "upsample_channels"], "did you mean 'hidden'?"),
        # Slips of the finger.
        ("noise-gate", ["gate", "noise", "noise_gates"], "did you mean 'noise_gates'?"),
        ("crepe-tyni", ["crepe", "crepe-tiny", "pm"], "did you mean 'crepe-tiny'?"),
        ("soft noise gate", ["gate", "noise gate"], "did you mean 'noise gate'?"),  # the longest part
        ("gain_d", ["gain", "gain_db"], "did you mean 'gain_db'?"),
        ("revreb", ["delay", "reverb"], "did you mean 'reverb'?"),
        ("in_all", ["in", "out"], "known: in, out"),  # too short to mean anything
        ("colour", [], "there are none"),
    ],
)
def test_the_nearest_name(name, known, says):
    assert nearest(name, known) == says
