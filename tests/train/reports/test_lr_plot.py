"""Learning rates before a training: the curve of a recipe, and the range test."""

import csv
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from synthetic import Squares

from mdeas import cli
from mdeas.errors import InputError, NonFiniteError, StorageError, UsageError
from mdeas.images.codec import read_rgb
from mdeas.train.find_lr import HIGHEST, LOWEST, STEPS, Sweep, find_lr
from mdeas.train.recipe.load import load_recipe
from mdeas.train.reports.lr_plot import curves, draw_schedule


class TestSchedule:
    def test_is_what_a_run_would_use(self, recipe_of):
        (curve,) = curves(recipe_of("schedule.name=constant"), [])
        assert curve.rates == pytest.approx([0.01 / 3, 0.02 / 3] + [0.01] * 10)

    def test_epochs_need_the_data(self, recipe_of, tmp_path):
        recipe = recipe_of(
            "steps=null",
            "epochs=2",
            "schedule={name: step, every: 3, warmup_steps: 0}",
            "data.share=[0, 0.5]",
        )
        (curve,) = curves(recipe, [Squares(24)])
        assert curve.rates == pytest.approx([0.01] * 3 + [0.001] * 3)
        with pytest.raises(UsageError, match="Give --data"):
            draw_schedule(recipe, [], tmp_path / "a.png")

    def test_stages_follow_each_other(self, recipe_of):
        stages = "stages=[{name: a, steps: 2}, {name: b, steps: 3, continue_lr: true}, {name: c, steps: 1}]"
        made = curves(recipe_of(stages, "schedule={name: step, every: 1, warmup_steps: 0}"), [])
        assert [curve.name for curve in made] == ["01-a", "02-b", "03-c"]
        rates = [rate for curve in made for rate in curve.rates]
        assert rates == pytest.approx([1e-2, 1e-3, 1e-3, 1e-4, 1e-5, 1e-2])

    def test_picture(self, recipe_of, tmp_path):
        facts = draw_schedule(recipe_of(), [], tmp_path / "a.png")
        assert facts["steps"] == 12 and facts["largest"] == "0.01"
        assert read_rgb(tmp_path / "a.png").std() > 5
        with pytest.raises(StorageError, match="--force"):
            draw_schedule(recipe_of(), [], tmp_path / "a.png")
        with pytest.raises(UsageError, match=r"\.png"):
            draw_schedule(recipe_of(), [], tmp_path / "a.csv")


def sweep_of(losses):
    return Sweep(rates=np.geomspace(1e-7, 1, 100)[: len(losses)].tolist(), losses=list(losses))


class TestSweep:
    def test_the_steepest_fall(self):
        falling = [1 - 1 / (1 + math.exp(60 - step)) for step in range(100)]
        assert sweep_of(falling).steepest == pytest.approx(np.geomspace(1e-7, 1, 100)[60], rel=0.2)
        assert sweep_of(range(100)).steepest is None and sweep_of([1.0]).steepest is None

    def test_smoothing_keeps_a_line_and_a_constant(self):
        assert sweep_of([3.0] * 20).smoothed == pytest.approx([3.0] * 20)
        assert sweep_of(range(40)).smoothed[20] == pytest.approx(20)

    def test_divergence(self):
        assert not sweep_of([1.0] * 30 + [3.9] * 30).diverged
        assert sweep_of([1.0] * 30 + [5.0] * 30).diverged


class TestRangeTest:
    def test_writes_a_plot_and_its_numbers_and_nothing_else(self, recipe_of, tmp_path):
        recipe = recipe_of("optimizer.name=adam")
        facts = find_lr(recipe, [Squares(12)], tmp_path / "x" / "lr.png", device="cpu")
        assert {path.name for path in (tmp_path / "x").iterdir()} == {"lr.png", "lr.csv"}
        with open(tmp_path / "x" / "lr.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        rates = [float(row["lr"]) for row in rows]
        assert rates == pytest.approx(np.geomspace(LOWEST, HIGHEST, STEPS)[: len(rates)])
        assert 1e-4 < float(facts["suggested lr"]) < 1 and read_rgb(tmp_path / "x" / "lr.png").std() > 5
        with pytest.raises(StorageError, match="--force"):
            find_lr(recipe, [Squares(12)], tmp_path / "x" / "lr.png", device="cpu")

    def test_is_the_same_again(self, recipe_of, tmp_path):
        for name in ("a", "b"):
            find_lr(recipe_of(), [Squares(6)], tmp_path / f"{name}.png", device="cpu")
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()

    def test_ends_where_the_loss_is_no_number(self, recipe_of, tmp_path, monkeypatch):
        monkeypatch.setattr("mdeas.train.find_lr.HIGHEST", 1e30)
        recipe = recipe_of("optimizer={name: sgd}", "grad_clip=0", "loss={depth_mse: 1}", "ema=0")
        facts = find_lr(recipe, [Squares(6)], tmp_path / "lr.png", device="cpu")
        assert len((tmp_path / "lr.csv").read_text().splitlines()) < STEPS
        assert float(facts["last lr tried"]) < 1e30

    def test_of_stages_the_first(self, recipe_of, tmp_path, monkeypatch):
        monkeypatch.setattr("mdeas.train.find_lr.STEPS", 2)
        threads = []

        def note(index, sample):
            threads.append(torch.get_num_threads())
            return sample

        recipe = recipe_of("stages=[{name: a, threads: 2, data: {batch_size: 3}}, {name: b, threads: 3}]")
        try:
            find_lr(recipe, [Squares(6, change=note)], tmp_path / "lr.png", device="cpu")
        finally:
            torch.set_num_threads(1)
        assert threads == [2] * 6  # two steps of three samples, as stage a has it

    def test_data_that_is_wrong_from_the_start_is_told(self, recipe_of, tmp_path):
        with pytest.raises(InputError, match="no samples"):
            find_lr(recipe_of(), [Squares(0)], tmp_path / "lr.png", device="cpu")

        def broken(index, sample):
            return replace(sample, depth=np.full_like(sample.depth, np.inf), depth_kind="relative")

        with pytest.raises(NonFiniteError):
            find_lr(recipe_of(), [Squares(4, change=broken)], tmp_path / "lr.png", device="cpu")


class TestCommand:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ([], "required: --data, --out"),
            (["--data", "x"], "required: --out"),
            (["--find-lr", "lr.png"], "required: --data"),
            (["--plot-schedule", "lr.png", "--set", "steps=null", "--set", "epochs=2"], "Give --data"),
        ],
    )
    def test_what_is_missing_is_named(self, words, said, capsys):
        assert cli.main(["train", "twin", *words]) == 2
        assert said in capsys.readouterr().err

    def test_plot_schedule_needs_no_data(self, tmp_path, capsys):
        assert cli.main(["train", "twin", "--plot-schedule", str(tmp_path / "a.png")]) == 0
        assert str(load_recipe("twin").steps) in capsys.readouterr().out
