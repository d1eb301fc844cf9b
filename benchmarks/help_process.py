"""`mdeas --help` as a whole process. Goal: under 0.3 s."""

import subprocess
import sys

from _timing import median, report_limit

COMMAND = [sys.executable, "-m", "mdeas", "--help"]


def run() -> None:
    subprocess.run(COMMAND, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    report_limit("mdeas --help, whole process", median(run, rounds=7), 0.3)
