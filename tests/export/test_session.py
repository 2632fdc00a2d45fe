"""Courses as other programs draw them: lines between points."""

from __future__ import annotations

import numpy as np
import pytest
import session_made

from covermaker.effects.automation import Automation, Curve
from covermaker.export.session import gains, values

TIMES = np.linspace(0.0, 4.0, 2001)


@pytest.mark.parametrize("shape", ["linear", "smooth"])
@pytest.mark.parametrize(
    "points", [((0.5, -96.0), (1.0, 24.0), (3.5, -3.0)), ((1.0, -6.0), (2.0, -6.0)), ((2.0, 1.0),)]
)
def test_lines_between_the_points_are_the_course_of_a_level(points, shape):
    course = Automation(points, shape)
    times, drawn = zip(*gains(course), strict=True)
    found_db = 20 * np.log10(np.interp(TIMES, times, drawn))
    assert np.abs(found_db - Curve(course, 1).at(TIMES)).max() < 0.05
    assert {point[0] for point in points} <= set(times)


def test_lines_between_the_points_are_the_course_of_a_pan():
    course = Automation(((0.5, -1.0), (1.0, 1.0), (3.5, 0.0)), "smooth")
    times, drawn = zip(*values(course), strict=True)
    assert np.abs(np.interp(TIMES, times, drawn) - Curve(course, 1).at(TIMES)).max() < 0.01
    assert values(Automation(course.points)) == list(course.points)


def test_what_holds_has_no_points_in_between():
    course = Automation(((0.5, -40.0), (1.0, 0.0)), "hold")
    assert gains(course) == [(0.5, pytest.approx(0.01)), (1.0, 1.0)]


def test_a_rack_in_words(tmp_path):
    text = session_made.session(tmp_path).channels[0].effects()
    assert text.startswith("high_pass (cutoff_hz 90, slope_db 24), gate (threshold_db -52), compressor (")
    assert text.endswith("reverb (off)")
