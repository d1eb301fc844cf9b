"""Functions of all benchmarks: two things are timed in turn, so that a busy machine slows both alike.

Run them on an idle machine all the same: other work slows threads that wait for each other most.
"""

import statistics
import time
from collections.abc import Callable


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def median(function: Callable[[], object], *, rounds: int) -> float:
    """Median seconds of a call, after one call that warms up."""
    function()
    return statistics.median(seconds(function) for _ in range(rounds))


def compare(
    ours: Callable[[], object], rival: Callable[[], object], *, rounds: int, calls: int = 1
) -> tuple[float, float]:
    """Fastest seconds of each, after one call of each that warms up.

    Each round makes `calls` calls of `ours`, then as many of `rival`. With one call each, the caches hold
    the other's data; with many, its own.
    """
    ours(), rival()
    pairs = [(_fastest(ours, calls), _fastest(rival, calls)) for _ in range(rounds)]
    return min(a for a, _ in pairs), min(b for _, b in pairs)


def _fastest(function: Callable[[], object], calls: int) -> float:
    return min(seconds(function) for _ in range(calls))


def report(what: str, ours_s: float, rival_s: float, rival: str, goal: float) -> None:
    """One line: the ratio, both times, the goal."""
    ratio = rival_s / ours_s
    print(
        f"{what}: {ratio:.1f}x faster than {rival} "
        f"({ours_s * 1e3:.2f} against {rival_s * 1e3:.2f} ms; goal {goal:g}x: {verdict(ratio >= goal)})"
    )


def report_limit(what: str, value_s: float, goal_s: float) -> None:
    """One line: the time and the goal."""
    print(f"{what}: {value_s:.3f} s (goal {goal_s:g} s: {verdict(value_s < goal_s)})")


def verdict(reached: bool) -> str:
    """The word for a goal that was or was not reached."""
    return "reached" if reached else "MISSED"
