"""Collects the tallies of the campaign and prints them as a table."""

import contextlib

import pytest
from tally import TITLE, Tally, table

_lines = []


@pytest.fixture
def row(record_property):
    """`with row("what is tried") as tally`: a row of the table; fails at the end when a case has failed."""

    @contextlib.contextmanager
    def tallied(name):
        tally = Tally(name)
        yield tally
        record_property(TITLE, tally.line)
        assert tally.total and not tally.failures, "\n".join(tally.failures)

    return tallied


def pytest_runtest_logreport(report):
    if report.when == "call":
        _lines.extend(value for name, value in report.user_properties if name == TITLE)


def pytest_terminal_summary(terminalreporter):
    if _lines:
        terminalreporter.write_sep("=", "campaign")
        terminalreporter.write_line(table(_lines))
