"""Finding where a rising function crosses zero, in few calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def rising_root(
    function: Callable[[float], float], *, low: float, high: float, tolerance: float, max_calls: int = 16
) -> float:
    """Return x in low..high where ``function(x)`` is zero to `tolerance`, or the end nearest to that.

    Steps by the secant and never leaves the bracket known so far; a function that has flattened out (a limiter
    driven hard) makes the steps grow. A call costs a walk over the song's blocks, hence no plain bisection.

    Parameters
    ----------
    function : callable
        Rises, with a slope of at most 1 (LU per dB).
    low, high : float
        Searched range; returned when the crossing lies outside.
    tolerance : float
        Of the function's value.
    max_calls : int
        Then the best point so far is returned.
    """
    if high <= low:
        return high
    x, value = low, function(low)
    best, best_value = x, value
    above = high
    previous_slope = 1.0
    for _ in range(max_calls - 1):
        if abs(value) <= tolerance or (x == low and value > 0.0) or (x == high and value < 0.0):
            return x
        step = -value / max(previous_slope, 0.1)
        target = min(max(x + step, low), above)
        new_value = function(target)
        if target != x and new_value != value:
            previous_slope = min(1.0, (new_value - value) / (target - x))
        if new_value > 0.0:
            above = min(above, target)
        else:
            low = max(low, target)
        x, value = target, new_value
        if abs(value) < abs(best_value):
            best, best_value = x, value
    return best
