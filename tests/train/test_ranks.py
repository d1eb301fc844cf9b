"""Two ranks over gloo on this CPU: they train what one process trains, and end together whatever happens."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rank_driver
import torch
from torch import nn

from mdeas.cli import main
from mdeas.errors import UsageError
from mdeas.models.registry import create_model
from mdeas.train.checkpoint import load_run
from mdeas.train.guards import make_fabric
from mdeas.train.learner import with_shared_statistics
from mdeas.train.ranks import Ranks
from mdeas.train.recipe.load import load_recipe
from mdeas.train.recipe.recipe import to_yaml

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
# Ranks add the same numbers in another order, per slice and then over slices, and each float32 sum is off by
# some 1e-7 of itself; 12 steps let it grow to 7e-7. SGD, because Adam turns a gradient that is nothing but
# rounding into steps of full size.
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}


def environment() -> dict[str, str]:
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}


def numbers(out: Path, name: str) -> list[float]:
    with open(out / "log.csv", newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) if row[name]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder in which rank_driver has run on two ranks, and one process into "alone"."""
    from tiny_network import RECIPE

    folder = tmp_path_factory.mktemp("ranks")
    (folder / "recipe.yaml").write_text(RECIPE)
    overrides = ["model.name=dry-for-tests", "optimizer.name=sgd", "optimizer.lr=0.1"]
    recipe = load_recipe(folder / "recipe.yaml", overrides)
    (folder / "recipe.yaml").write_text(to_yaml(recipe))
    command = [*TORCHRUN, rank_driver.__file__, folder]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    (folder / "stderr.txt").write_text(done.stderr)
    rank_driver.train("alone", folder)
    return folder


def ends(folder: Path, name: str) -> list[str]:
    files = [folder / f"{name}-{rank}.txt" for rank in (0, 1)]
    return [file.read_text() if file.exists() else "" for file in files]


class TestTwoRanks:
    def test_losses_are_those_of_one_process(self, folder):
        assert ends(folder, "equal") == ["0", "0"], (folder / "stderr.txt").read_text()
        for name in ("total", "mask_bce", "depth_ssi", "grad_norm", "mask_iou", "lr"):
            found, wanted = numbers(folder / "equal", name), numbers(folder / "alone", name)
            torch.testing.assert_close(found, wanted, **TOLERANCE)
        assert len(numbers(folder / "equal", "total")) == 12 + 3

    def test_checkpoints_can_be_exchanged(self, folder):
        ranks, alone = (load_run(folder / name).state_dict() for name in ("equal", "alone"))
        assert list(ranks) == list(alone)
        for name, value in alone.items():
            torch.testing.assert_close(ranks[name], value, **TOLERANCE, msg=name)

    def test_stages_are_those_of_one_process(self, folder):
        assert ends(folder, "staged") == ["0", "0"]
        rank_driver.train("staged-alone", folder)
        found, wanted = (numbers(folder / name, "total") for name in ("staged", "staged-alone"))
        torch.testing.assert_close(found, wanted, **TOLERANCE)
        assert len(wanted) == 3 + 1 + 2 + 1

    def test_what_is_not_finite_on_one_stops_both_before_the_weights_move(self, folder):
        told, silent = ends(folder, "not-finite")
        assert told.startswith("6, step ") and "samples square-3. " in told
        assert silent == "6"

    def test_a_signal_to_one_stops_both_with_the_state_saved(self, folder):
        told, silent = ends(folder, "stopped")
        assert told.startswith("143, stopped at step 7;") and silent == "143"

    def test_one_process_goes_on_where_two_stopped(self, folder):
        rank_driver.train("stopped", folder)
        found, wanted = numbers(folder / "stopped", "total"), numbers(folder / "alone", "total")
        torch.testing.assert_close(found, wanted, **TOLERANCE)

    def test_batch_norm_of_all_ranks_is_refused_on_the_cpu(self, folder):
        told, silent = ends(folder, "shared-norm")
        assert told.startswith("2, sync_batch_norm: ") and "Set it to false." in told and silent == "2"

    def test_a_rank_that_is_killed_ends_the_other(self, folder):
        told, nothing = ends(folder, "killed")
        assert told.startswith("8, another rank ended") and not nothing


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_torchrun_mdeas_train_is_stopped_and_goes_on_in_one_process(tmp_path, monkeypatch, capsys):
    """The command line itself; SIGTERM to torchrun's second process, the first batch of steps done."""
    monkeypatch.chdir(tmp_path)
    small = ["--size", "32", "--set", "tiles=4", "--set", "validation_count=2"]
    assert main(["create", "scenes", "-o", "data", "--count", "10", *small]) == 0
    fields = ["data.size=32", "data.batch_size=4", "data.workers=0", "save_every=2", "threads=1"]
    words = ["train", "twin", "--data", "data", "-o", "run", "--set", "precision=float32"]
    words += [word for field in fields for word in ("--set", field)]
    (tmp_path / "err.txt").touch()
    with open("err.txt", "w") as errors:
        torchrun = subprocess.Popen(
            [*TORCHRUN, "-m", "mdeas", *words, "--set", "steps=100000"], env=environment(), stderr=errors
        )
        wait_for(lambda: Path("run/resume.pt").exists() or torchrun.poll() is not None)
        ranks = children(torchrun.pid)
        os.kill(max(ranks), signal.SIGTERM)
        assert torchrun.wait(60) == 1  # torchrun's own code, whatever those of the ranks
    said = Path("err.txt").read_text()
    assert len(ranks) == 2 and said.count("exitcode  : 143") == 2, said
    assert said.count("mdeas: error[E-STOPPED] stopped at step ") == 1
    assert not any(map(alive, ranks))
    capsys.readouterr()


def wait_for(condition, timeout_s: float = 120) -> None:
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)


class TestRanks:
    def test_a_batch_is_cut_into_slices_in_rank_order(self):
        cut = [Ranks(rank=rank, count=3).slice([5, 3, 1, 4, 2, 0]) for rank in range(3)]
        assert cut == [[5, 3], [1, 4], [2, 0]]

    def test_a_batch_that_cannot_be_shared_is_refused(self):
        Ranks(count=3).require_equal_slices(6)
        with pytest.raises(UsageError, match=r"data\.batch_size to a multiple of 3"):
            Ranks(count=3).require_equal_slices(8)

    def test_dropout_differs_between_ranks_and_steps(self):
        seeds = {Ranks(rank=rank, count=2).seed(7, step) % 2**32 for rank in range(2) for step in range(9)}
        assert len(seeds) == 18 and Ranks().seed(7, 2) == 9


class TestSharedStatistics:
    def test_names_and_evaluation_stay(self):
        plain = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
        x, before = torch.rand(2, 3, 5, 5), plain.state_dict()
        wanted = plain(x)
        shared = with_shared_statistics(plain)
        assert type(shared[1]) is nn.SyncBatchNorm and list(shared.state_dict()) == list(before)
        assert torch.equal(shared(x), wanted)

    def test_the_activation_in_a_norm_of_timm_stays(self):
        plain = create_model("twin-s").eval()
        photos = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        wanted, names = plain(*photos), list(plain.state_dict())
        shared = with_shared_statistics(plain)
        assert not any(type(module) is nn.BatchNorm2d for module in shared.modules())
        assert list(shared.state_dict()) == names
        for one, other in zip(shared(*photos), wanted, strict=True):
            assert torch.equal(one, other)

    def test_ranks_on_the_cpu_are_refused(self, recipe_of):
        recipe = recipe_of("sync_batch_norm=true")
        with pytest.raises(UsageError, match=r"^sync_batch_norm: .* Set it to false\.$") as caught:
            make_fabric(recipe, "cpu", Ranks(count=2, local_count=2))
        assert caught.value.code == "E-RECIPE"
        make_fabric(recipe, "cpu")  # one process has all of the batch
