"""A training run: what it leaves, what stops it, and that a stop changes no bit."""

import csv
import dataclasses
import json
import os
import signal
import time

import numpy as np
import pytest
import torch
from accidents import At, in_child, signal_at
from synthetic import Squares

from mdeas.errors import (
    InputError,
    MemoryLimitError,
    NonFiniteError,
    Stopped,
    StorageError,
    UsageError,
)
from mdeas.system.files import sha256_file
from mdeas.system.lock import locked
from mdeas.train.checkpoint import load_run
from mdeas.train.loop import fit


def run(recipe, out, change=None, count=10, validation=5):
    return fit(recipe, [Squares(count, change=change)], [Squares(validation, seed=1)], out, device="cpu")


def rows(out):
    with open(out / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


def cost(out):
    return json.loads((out / "last.json").read_text())["cost"]


def losses(out):
    return [(row["kind"], row["step"], row["total_hex"], row["lr"]) for row in rows(out)]


def wait_until_free(out):
    """Decoders inherit the lock and die a moment after the training they serve."""
    for _ in range(100):
        try:
            with locked(out):
                return
        except StorageError:
            time.sleep(0.2)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Folder of a run that nothing stopped; made by the first test that needs it."""
    return tmp_path_factory.mktemp("straight")


@pytest.fixture
def straight_run(straight, recipe_of):
    if not (straight / "last.json").exists():
        run(recipe_of(), straight)
    return straight


def test_what_a_run_leaves(straight_run):
    names = {path.name for path in straight_run.iterdir() if not path.name.startswith(".")}
    weights = {
        f"{name}.{kind}" for name in ("last", "best-mask", "best-depth") for kind in ("json", "safetensors")
    }
    assert names == weights | {
        "recipe.yaml", "log.csv", "curve.png", "pictures", "tensorboard", "resume.pt", "resume-previous.pt",
    }  # fmt: skip
    assert sorted(path.name for path in (straight_run / "pictures").iterdir()) == [
        "step-000005.png", "step-000010.png", "step-000012.png",
    ]  # fmt: skip
    log = rows(straight_run)
    assert [row["step"] for row in log if row["kind"] == "train"] == [str(step) for step in range(1, 13)]
    assert [row["epoch"] for row in log if row["kind"] == "train"] == [str(step // 2) for step in range(12)]
    validation = [row for row in log if row["kind"] == "validation"]
    assert [row["step"] for row in validation] == ["5", "10", "12"]
    assert float(validation[0]["mask_iou_zero"]) == pytest.approx(1 / 5)
    assert float(log[-2]["total"]) < float(log[1]["total"])


def test_the_card_explains_the_checkpoint(straight_run):
    card = json.loads((straight_run / "last.json").read_text())
    assert card["model"] == "tiny-for-tests" and card["step"] == 12 and card["options"] == {}
    assert card["sha256"] == sha256_file(straight_run / "last.safetensors")
    assert card["recipe"]["optimizer"]["lr"] == 0.01 and set(card["versions"]) == {"mdeas", "torch"}
    assert 0 <= card["metrics"]["mask_iou"] <= 1
    model = load_run(straight_run)
    assert not model.training and model(torch.rand(1, 3, 5, 7), torch.rand(1, 3, 5, 7)).depth.shape[-2:] == (
        5,
        7,
    )


def test_the_card_says_what_the_run_cost(straight_run):
    found = cost(straight_run)
    log = [row for row in rows(straight_run) if row["kind"] == "train"]
    assert found["images"] == 12 * 4
    assert found["seconds"] == pytest.approx(sum(4 / float(row["images_per_s"]) for row in log), rel=0.1)
    assert 50 < found["peak_memory_mib"] < 10_000
    assert found["peak_gpu_memory_mib"] == 0 and found["device"] == "cpu"


@pytest.mark.parametrize(("workers", "at"), [(0, 3), (0, 31), (2, 8), (2, 24)])
def test_killed_and_resumed_is_bit_for_bit_the_same(workers, at, straight_run, tmp_path, recipe_of):
    """The at-th sample that a process reads kills the training, from within or from a decoder."""
    recipe = recipe_of(f"data.workers={workers}")
    main = os.getpid()

    def kill_both(sample):
        target = os.getppid() if workers else os.getpid()
        assert target != main
        os.kill(target, signal.SIGKILL)
        return sample

    status = in_child(lambda: run(recipe, tmp_path / "run", At(at, kill_both)))
    assert os.WTERMSIG(status) == signal.SIGKILL
    wait_until_free(tmp_path / "run")
    run(recipe, tmp_path / "run")
    assert losses(tmp_path / "run") == losses(straight_run)
    for name in ("last", "best-mask", "best-depth"):
        file = f"{name}.safetensors"
        assert sha256_file(tmp_path / "run" / file) == sha256_file(straight_run / file)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_the_step_it_came_in(signum, straight_run, tmp_path, recipe_of):
    with pytest.raises(Stopped, match="stopped at step 7") as caught:
        run(recipe_of(), tmp_path / "run", signal_at(4 * 6 + 1, signum))
    assert caught.value.exit_code == 128 + signum
    assert rows(tmp_path / "run")[-1]["step"] == "7"
    run(recipe_of(), tmp_path / "run")
    assert losses(tmp_path / "run") == losses(straight_run)
    assert cost(tmp_path / "run")["images"] == cost(straight_run)["images"]


def test_a_signal_during_validation_loses_nothing(straight_run, tmp_path, recipe_of):
    change = signal_at(5, signal.SIGTERM)  # the last sample of the validation at step 5
    with pytest.raises(Stopped, match="step 5"):
        fit(recipe_of(), [Squares(10)], [Squares(5, seed=1, change=change)], tmp_path / "run", device="cpu")
    run(recipe_of(), tmp_path / "run")
    assert losses(tmp_path / "run") == losses(straight_run)


def test_a_finished_run_stays_as_it_is(straight_run, recipe_of):
    before = losses(straight_run), sha256_file(straight_run / "last.safetensors")
    assert run(recipe_of(), straight_run)["step"] == 12
    assert before == (losses(straight_run), sha256_file(straight_run / "last.safetensors"))


def test_another_recipe_or_other_data_is_refused_with_the_difference(straight_run, recipe_of):
    with pytest.raises(UsageError, match=r"optimizer\.lr: 0\.01 -> 0\.02"):
        run(recipe_of("optimizer.lr=0.02"), straight_run)
    with pytest.raises(UsageError, match="data sets"):
        run(recipe_of(), straight_run, count=11)


def test_a_folder_with_other_files_is_left_alone(tmp_path, recipe_of):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "log.csv").write_text("mine")
    with pytest.raises(StorageError, match=r"log\.csv"):
        run(recipe_of(), tmp_path / "run")
    assert (tmp_path / "run" / "log.csv").read_text() == "mine"


def test_a_learning_rate_without_bounds_stops_the_run(tmp_path, recipe_of):
    recipe = recipe_of("optimizer.lr=1e30", "grad_clip=0", "save_every=1", "schedule.name=constant")
    with pytest.raises(NonFiniteError, match="square-") as caught:
        run(recipe, tmp_path / "run")
    assert caught.value.exit_code == 6
    saved = torch.load(_payload(tmp_path / "run" / "resume.pt"), weights_only=True)
    assert all(value.isfinite().all() for value in saved["model"].values())


def test_a_sample_that_is_no_number_is_named(tmp_path, recipe_of):
    def infinite(index, sample):
        depth = np.full_like(sample.depth, np.inf)
        return dataclasses.replace(sample, depth=depth, depth_kind="relative") if index == 3 else sample

    with pytest.raises(NonFiniteError, match=r"samples square-3\. "):
        run(recipe_of(), tmp_path / "run", infinite)


def test_one_sample_is_enough(tmp_path, recipe_of):
    assert run(recipe_of("steps=2"), tmp_path / "run", count=1)["step"] == 2


@pytest.mark.parametrize("batch_size, count", [(1, 4), (2, 1)])
def test_a_batch_too_small_for_batch_norm_is_refused(tmp_path, recipe_of, batch_size, count):
    """The deepest map of twin-s is one pixel at 32×32: one picture has one value per channel."""
    recipe = recipe_of("model.name=twin-s", f"data.batch_size={batch_size}", "data.size=32", "steps=1")
    with pytest.raises(UsageError) as caught:
        run(recipe, tmp_path / "run", count=count)
    assert caught.value.code == "E-RECIPE"
    assert all(word in str(caught.value) for word in ("got 1 of 32×32", "at least 2", "Set data.batch_size"))


def test_no_sample_is_not(tmp_path, recipe_of):
    with pytest.raises(InputError, match="no samples"):
        run(recipe_of(), tmp_path / "run", count=0)


def test_without_validation_there_is_a_last_checkpoint(tmp_path, recipe_of):
    run(recipe_of("epochs=1", "steps=null"), tmp_path / "run", validation=0)
    assert load_run(tmp_path / "run")
    assert not (tmp_path / "run" / "best-mask.json").exists()


def test_cuda_that_is_not_there_is_refused(tmp_path, recipe_of, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="cuda"):
        fit(recipe_of(), [Squares(4)], [], tmp_path / "run", device="cuda")


def test_auto_without_a_gpu_says_so(tmp_path, recipe_of, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    fit(recipe_of("steps=1"), [Squares(4)], [], tmp_path / "run", device="auto")
    assert "no GPU" in capsys.readouterr().err


def test_memory_that_ends_names_a_batch_size(tmp_path, recipe_of):
    def full(index, sample):
        raise MemoryError

    with pytest.raises(MemoryLimitError, match=r"data\.batch_size=2") as caught:
        run(recipe_of(), tmp_path / "run", full)
    assert caught.value.exit_code == 7


def test_bf16_trains(tmp_path, recipe_of):
    run(recipe_of("precision=bf16", "steps=4"), tmp_path / "run")
    assert load_run(tmp_path / "run").core.layers[0].weight.dtype == torch.float32


def _payload(path):
    import io

    return io.BytesIO(path.read_bytes().partition(b"\n")[2])
