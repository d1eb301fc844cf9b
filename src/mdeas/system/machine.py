"""The machine that a measurement ran on: processor, cores, memory."""

import os
import platform
import sys
from pathlib import Path


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def num_cores() -> int:
    """Number of cores that this process may use."""
    return len(own_cores()) or os.cpu_count() or 1


def own_cores() -> set[int]:
    """Numbers of the cores that this process may use; empty where the system does not tell, as on Windows."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, MiB; 0 = unknown, as on Windows."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB on Linux
