"""Many cases, one result: how many of them passed, and what was wrong with the first that did not."""

import contextlib
import os

import pytest

FULL = os.environ.get("MDEAS_CAMPAIGN") == "full"
TITLE = "campaign"


def cases(smoke: int, full: int) -> int:
    """How many cases to try: few in `make test`, many in `make campaign`."""
    return full if FULL else smoke


class Tally:
    """Counts the cases of one row of the table."""

    def __init__(self, row: str):
        self.row, self.total, self.failures = row, 0, []

    @contextlib.contextmanager
    def case(self, name):
        """One case: what is raised inside fails it, and the next one is tried."""
        self.total += 1
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:
            self.failures.append(f"{name}: {type(error).__name__}: {error}"[:300])

    @property
    def line(self):
        return self.row, self.total - len(self.failures), self.total, (self.failures or [""])[0]


def table(lines) -> str:
    """The rows of FAULTS.md as text: row, passed / total, first failure."""
    width = max(len(row) for row, *_ in lines)
    counts = [f"{passed} / {total}" for _, passed, total, _ in lines]
    return "\n".join(
        f"{row:<{width}}  {count:>11}  {failure}".rstrip()
        for (row, _, _, failure), count in zip(lines, counts, strict=True)
    )
