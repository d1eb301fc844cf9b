"""How many CPU threads a training uses, and how they wait for each other. Imports no torch."""

import os
import sys
import time
from pathlib import Path

from mdeas.system.machine import num_cores, own_cores

_LOOK_S = 0.25  # how long the cores are watched
_SPINS = "1000"  # some microseconds: most waits of an idle machine, and nothing beside a busy process


def sleep_while_waiting() -> None:
    """Let OpenMP's threads sleep, not spin, while they wait; a policy that the user has set stays.

    Call it before torch is imported: OpenMP reads the variables once. Spinning threads keep cores that
    another process needs, which then makes the threads wait for longer still. GNU's OpenMP may spin for a
    moment first: on two idle cores a training that never spins takes a fifth longer.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def choose_threads(wanted: int, local_ranks: int) -> int:
    """Threads for a training process: `wanted`, or for 0 an even share of the free cores; at least 1.

    Input: local_ranks: training processes on this machine.
    """
    if wanted:
        return wanted
    cores, free = num_cores(), num_free_cores()
    if free < cores:
        busy = f"{cores - free} of {cores} cores are busy"
        print(f"mdeas: {busy}: training on the other {free}. `--set threads=N` decides.", file=sys.stderr)
    return max(1, free // local_ranks)


def num_free_cores() -> int:
    """Cores of this process that nothing else keeps busy, at least 1.

    The smaller of two counts of busy cores is taken: the load average of the last minute still contains
    what has just ended (the stage before, `mdeas create`), and the cores that are busy at this moment
    contain what will end in a moment.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1, num_cores() - round(min(load, _busy_cores(_LOOK_S))))


def _busy_cores(seconds: float) -> float:
    """Mean number of this process's cores that worked during the next `seconds`; infinity if unknown."""
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    if not before or before.keys() != after.keys():
        return float("inf")
    return sum(
        1 - (after[core][0] - idle) / max(1, after[core][1] - total) for core, (idle, total) in before.items()
    )


def _ticks() -> dict[str, tuple[int, int]]:
    """Idle and all clock ticks so far of each core that this process may use; empty but on Linux."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        mine = {f"cpu{number}" for number in own_cores()}
    except OSError:
        return {}
    rows = [line.split() for line in lines if line.partition(" ")[0] in mine]
    # user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in user and nice already.
    counts = {name: [int(word) for word in words[:8]] for name, *words in rows}
    return {name: (ticks[3] + ticks[4], sum(ticks)) for name, ticks in counts.items()}
