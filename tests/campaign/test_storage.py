"""The disk fails, fills up or stops at every single call of the commit protocol; the rerun loses nothing."""

import errno

import pytest
from kill_at import kill_at
from shim import FailingDisk, PowerCut, full_disk, healthy, io_error, power_cut, read_only, temporaries
from slow_maker import SlowMaker
from tally import cases
from world import tree, without_processes

from mdeas.create.factory.build import build
from mdeas.create.factory.options import BuildOptions
from mdeas.errors import StorageError

SHARD_ROWS = 4
POINTS = ("plan", "temporary", "renamed", "shard", "record", "errors", "index", "cleaning")


def make(out, fault=healthy):
    """Build 10 samples, two of which are bad, on a disk with that fault; return the disk."""
    with without_processes(), FailingDisk(fault) as disk:
        build(
            SlowMaker(count=10, size=8, bad=(2, 7)),
            BuildOptions(out=out, shard_rows=SHARD_ROWS, skip_bad=True),
        )
    return disk


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """(tree, number of calls) of a build on a healthy disk."""
    out = tmp_path_factory.mktemp("undisturbed") / "set"
    disk = make(out)
    return tree(out), len(disk.calls)


def moments(undisturbed):
    """Every call in turn; in the smoke part every third, and all of the last, which end the commit."""
    number = undisturbed[1]
    return [n for n in range(1, number + 1) if n % cases(3, 1) == 0 or n > number - 15]


def test_power_cut_at_every_call(row, tmp_path, undisturbed):
    with row("power cut at the n-th call of the file system") as tally:
        for at in moments(undisturbed):
            with tally.case(f"call {at}"):
                out = tmp_path / str(at)
                with pytest.raises(PowerCut):
                    make(out, power_cut(at))
                make(out)
                assert tree(out) == undisturbed[0]


@pytest.mark.parametrize(
    ("what", "fault", "code"),
    [
        ("EIO at the n-th call", io_error, "E-IO"),
        ("disk full from the n-th call on", full_disk, "E-FULL"),
        ("quota used up at the n-th call", lambda at: io_error(at, errno.EDQUOT), "E-FULL"),
        ("read-only from the n-th call on", read_only, "E-READ-ONLY"),
    ],
)
def test_an_error_at_every_call(row, tmp_path, undisturbed, what, fault, code):
    with row(what) as tally:
        for at in moments(undisturbed):
            with tally.case(f"call {at}"):
                out = tmp_path / str(at)
                error = failure(out, fault(at))
                if error is not None:  # where the rest takes no room, nothing is wrong
                    assert (error.code, error.exit_code) == (code, 4), error
                    assert code != "E-FULL" or ("needed" in str(error) and "free" in str(error))
                    assert fault is read_only or not temporaries(out)
                make(out)
                assert tree(out) == undisturbed[0]


def failure(out, fault):
    try:
        make(out, fault)
    except StorageError as error:
        return error
    return None


@pytest.mark.parametrize("point", POINTS)
def test_kill_points(row, tmp_path, undisturbed, point):
    """Dying at a named point for the first time, the second, ... until it is passed no more."""
    with row(f"SIGKILL at the point {point!r}") as tally:
        times = 1
        while dies(tmp_path / str(times), f"{point}:{times}"):
            with tally.case(f"time {times}"):
                make(tmp_path / str(times))
                assert tree(tmp_path / str(times)) == undisturbed[0]
            times += 1


def dies(out, point):
    try:
        with kill_at(point):
            make(out)
    except PowerCut:
        return True
    return False
