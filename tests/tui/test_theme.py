"""The colours of states can be told apart by everybody, and read on their ground.

Colour blindness as in Machado, Oliveira and Fernandes 2009 (severity 1.0); distances in CIE Lab, 1976.
"""

from itertools import combinations

import numpy as np
import pytest

from covermaker.tui.theme import DARK, LIGHT, STATES

# Linear RGB to what a dichromat sees, table 1 of the paper.
EYES = {
    "everybody": np.eye(3),
    "protanopes": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopes": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopes": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(color):
    values = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255.0
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    ratio = (XYZ @ np.clip(rgb, 0.0, 1.0)) / (XYZ @ np.ones(3))
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one, other):
    bright = sorted(XYZ[1] @ linear(color) + 0.05 for color in (one, other))
    return bright[1] / bright[0]


@pytest.mark.parametrize("eyes", EYES)
def test_done_stale_and_failed_stay_apart(eyes):
    seen = {name: lab(EYES[eyes] @ linear(STATES[True][name])) for name in ("done", "stale", "failed")}
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen.values(), 2)) >= 33.0


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_states_can_be_read_on_their_ground(theme):
    for color in STATES[theme.dark].values():
        assert contrast(color, theme.background) >= 4.5
    assert contrast(theme.foreground, theme.background) >= 7.0
