"""Progress on stderr: a bar on a terminal, lines in a log."""

import io

import pytest

from mdeas.system import progress as module
from mdeas.system.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(total, done, **options):
    with progress("making", total, done, **options) as advance:
        for _ in range(total - done):
            advance()


def test_a_log_gets_lines_and_the_last_one_is_complete(monkeypatch, capsys):
    clock = iter(range(0, 1000, 4))  # every look at the clock is four seconds later
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    run(10, 2, unit="pictures")
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("making: ") and " pictures/s, " in line for line in lines)
    assert len(lines) > 2
    assert lines[-1].startswith("making: 10/10 pictures") and lines[-1].endswith(" 0 s remain")


def test_the_rate_is_of_this_run_alone(monkeypatch, capsys):
    clock = iter([0.0, 0.0, 0.0, 0.0, 2.0])  # begin, last line, two units, the last look
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    run(102, 100)
    assert capsys.readouterr().err == "making: 102/102 samples, 1.0 samples/s, 0 s remain\n"


@pytest.mark.parametrize("total", [0, 3])
def test_a_terminal_gets_a_bar(total, monkeypatch):
    seen = Terminal()
    monkeypatch.setattr("sys.stderr", seen)
    run(total, 0)
    assert f"{total}/{total}" in seen.getvalue() and "samples/s" in seen.getvalue()
