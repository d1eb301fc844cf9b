"""`mdeas --help` as a whole process, against a bare interpreter. Goal: at most 12 times as long."""

import subprocess
import sys

from _timing import compare, verdict

GOAL = 12


def main() -> None:
    mdeas_help, bare = compare(
        lambda: subprocess.run([sys.executable, "-m", "mdeas", "--help"], check=True, capture_output=True),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        rounds=7,
    )
    ratio = mdeas_help / bare
    print(
        f"mdeas --help, whole process: {mdeas_help:.3f} s, {ratio:.1f} times a bare interpreter "
        f"(goal {GOAL}: {verdict(ratio <= GOAL)})"
    )


if __name__ == "__main__":
    main()
