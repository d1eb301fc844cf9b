"""A curriculum: its stages by hand, what it leaves, and that a stop changes no bit."""

import csv
import json
import os
import signal

import pytest
from accidents import in_child, signal_at
from kill_at import kill_at
from synthetic import Squares

from mdeas.errors import Stopped, StorageError, UsageError
from mdeas.images.codec import read_rgb
from mdeas.system.files import sha256_file
from mdeas.train.checkpoint import load_run
from mdeas.train.loop import fit
from mdeas.train.recipe.curriculum import expand
from mdeas.train.stages import fit_stages

CHECKPOINTS = ("last", "best-mask", "best-depth")
STAGES = (
    "stages=[{name: small, data: {size: 16, share: [0, 0.5]}, schedule: {name: plateau, patience: 0}},"
    " {name: large, steps: 5, continue_lr: true, loss: {mask_l1: 1, depth_ssi: 1}, data: {batch_size: 2}},"
    " {name: best, epochs: 1, model: {weights: 'stage:small/best-mask'}, optimizer: {lr: 0.001}}]"
)


def run(recipe, out, change=None):
    return fit_stages(recipe, [Squares(10, change=change)], [Squares(5, seed=1)], out, device="cpu")


def digests(out):
    return [sha256_file(path) for path in sorted(out.rglob("*.safetensors"))]


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return tmp_path_factory.mktemp("straight")


@pytest.fixture
def straight_run(straight, recipe_of):
    if not (straight / "last.json").exists():
        run(recipe_of("steps=6", STAGES), straight)
    return straight


class TestExpand:
    def test_fields_go_over_those_of_the_recipe(self, recipe_of):
        small, large, best = (stage.recipe for stage in expand(recipe_of("steps=6", STAGES)))
        assert (small.data.size, small.data.share, small.data.batch_size) == (16, (0, 0.5), 4)
        assert (large.data.size, large.data.share, large.data.batch_size) == (32, (0, 1), 2)
        assert (small.steps, large.steps, best.steps, best.epochs) == (6, 5, None, 1)
        assert small.loss == {"mask_bce": 1, "depth_ssi": 0.5} and large.loss == {
            "mask_l1": 1,
            "depth_ssi": 1,
        }
        assert (small.schedule.name, large.schedule.name) == ("plateau", "cosine")

    def test_a_stage_begins_with_the_one_before_or_the_one_it_names(self, recipe_of):
        stages = expand(recipe_of("model.weights=RUN", STAGES))
        assert [stage.folder for stage in stages] == ["01-small", "02-large", "03-best"]
        weights = [stage.recipe.model.weights for stage in stages]
        assert weights == ["RUN", "stage:01-small", "stage:01-small/best-mask"]

    def test_a_mean_is_of_its_own_stage_alone(self, recipe_of):
        stages = "stages=[{name: a}, {name: b, model: {mean_with: ['stage:a/best-depth', RUN]}}, {name: c}]"
        options = ("model.weights=X", "model.mean_with=[Y]", stages)
        a, b, c = (stage.recipe.model for stage in expand(recipe_of(*options)))
        assert (a.weights, a.mean_with) == ("X", ["Y"])
        assert (b.weights, b.mean_with) == ("stage:01-a", ["stage:01-a/best-depth", "RUN"])
        assert (c.weights, c.mean_with) == ("stage:02-b", [])

    def test_weights_that_a_stage_names_leave_the_mean_of_others_behind(self, recipe_of):
        stages = "stages=[{name: a, model: {weights: Z}}, {name: b, model: {weights: W}}]"
        options = ("model.weights=X", "model.mean_with=[Y]", stages)
        models = [stage.recipe.model for stage in expand(recipe_of(*options))]
        assert [(model.weights, model.mean_with) for model in models] == [("Z", []), ("W", [])]

    def test_another_network_begins_anew_and_may_take_parts(self, recipe_of):
        stages = (
            "stages=[{name: a, model: {name: mdeas}}, {name: b},"
            " {name: c, model: {parts: {core: 'stage:b'}, freeze: [core.x]}, teacher: 'stage:a/best-depth'}]"
        )
        a, b, c = (stage.recipe for stage in expand(recipe_of("model.options={x: 1}", stages)))
        assert a.model.options == {} and b.model.options == {"x": 1} and b.model.weights is None
        assert c.model.parts == {"core": "stage:02-b"} and c.model.weights == "stage:02-b"
        assert c.model.freeze == ["core.x"] and c.teacher == "stage:01-a/best-depth"

    @pytest.mark.parametrize(
        ("stages", "said"),
        [
            ("{name: a, optimizer: {lrr: 1}}", "stage 'a'.*lrr"),
            ("{name: a, data: {share: [0.5, 0.2]}}", r"stage 'a': data.share is \[0.5, 0.2\]"),
            ("{name: a, data: {share: [0, 2]}}", "data.share"),
            ("{name: a, data: 3}", "data"),
            ("{steps: 3}", "name of stage 1"),
            ("{name: a/b}", "a/b"),
            ("{name: a}, {name: a}", "name of stage 2"),
            ("{name: a, stages: []}", "stages"),
            ("{name: a, model: {weights: 'stage:a'}}", "stage:a.*earlier"),
            ("{name: a}, {name: b, teacher: 'stage:c/last'}", r"stage 'b'.*stage:c/last.*\(a\)"),
            ("{name: a, continue_lr: true}", "continue_lr"),
            ("{name: a}, {name: b, continue_lr: true, optimizer: {lr: 1}}", "continue_lr"),
            ("{name: a, steps: 0}", "steps"),
            ("a", "stages"),
        ],
    )
    def test_refused(self, stages, said, recipe_of):
        with pytest.raises(UsageError, match=said) as caught:
            recipe_of(f"stages=[{stages}]")
        assert caught.value.code == "E-RECIPE" and "\n" not in str(caught.value)

    def test_stages_may_bring_the_length(self, recipe_of):
        assert expand(recipe_of("steps=null", "stages=[{name: a, steps: 3}]"))[0].recipe.steps == 3
        with pytest.raises(UsageError, match="'b': steps"):
            recipe_of("steps=null", "stages=[{name: a, steps: 3}, {name: b}]")


class TestRun:
    def test_what_it_leaves(self, straight_run):
        last = straight_run / "stages" / "03-best"
        for name in CHECKPOINTS:
            for file in (f"{name}.safetensors", f"{name}.json"):
                assert sha256_file(straight_run / file) == sha256_file(last / file)
        assert load_run(straight_run)
        log = table(straight_run / "log.csv")
        counts = [sum(row["stage"] == name and row["kind"] == "train" for row in log) for name in
                  ("01-small", "02-large", "03-best")]  # fmt: skip
        assert counts == [6, 5, 2]
        assert {"mask_bce", "mask_l1"} <= log[0].keys() and log[0]["mask_l1"] == ""
        stages = table(straight_run / "stages.csv")
        assert [row["step"] for row in stages] == ["6", "5", "2"]
        assert all(0 <= float(row["mask_iou"]) <= 1 for row in stages)
        heights = [
            read_rgb(sorted((path / "pictures").iterdir())[-1]).shape[0] + 20
            for path in sorted((straight_run / "stages").iterdir())
        ]
        assert read_rgb(straight_run / "stages.png").shape[0] == sum(heights)

    def test_each_begins_where_it_says(self, straight_run):
        stages = table(straight_run / "stages.csv")
        first = {
            row["stage"]: float(row["lr"]) for row in reversed(table(straight_run / "log.csv")) if row["lr"]
        }
        assert first["02-large"] == pytest.approx(float(stages[0]["lr"]) / 3)  # a step of three of warm-up
        cards = [
            json.loads(path.read_text()) for path in sorted((straight_run / "stages").glob("*/last.json"))
        ]
        assert cards[1]["recipe"]["optimizer"]["lr"] == float(stages[0]["lr"])

    def test_a_finished_one_stays_as_it_is(self, straight_run, recipe_of):
        times = {path: path.stat().st_mtime_ns for path in (straight_run / "stages").rglob("*")}
        before = digests(straight_run)
        assert run(recipe_of("steps=6", STAGES), straight_run)["step"] == 2
        assert digests(straight_run) == before
        assert times == {path: path.stat().st_mtime_ns for path in (straight_run / "stages").rglob("*")}

    def test_another_recipe_or_other_data_is_refused_with_the_difference(self, straight_run, recipe_of):
        with pytest.raises(UsageError, match=r"stages\.2\.steps: 5 -> 4"):
            run(recipe_of("steps=6", STAGES.replace("steps: 5", "steps: 4")), straight_run)
        with pytest.raises(UsageError, match="the data sets"):
            fit_stages(recipe_of("steps=6", STAGES), [Squares(11)], [], straight_run, device="cpu")
        run(recipe_of("steps=6", STAGES, "data.workers=1"), straight_run)

    @pytest.mark.parametrize("at", ["stage:1", "stage:3", "renamed:9", "temporary:40"])
    def test_killed_and_resumed_is_bit_for_bit_the_same(self, at, straight_run, tmp_path, recipe_of):
        recipe = recipe_of("steps=6", STAGES)
        with kill_at(at):
            assert os.WTERMSIG(in_child(lambda: run(recipe, tmp_path / "run"))) == signal.SIGKILL
        run(recipe, tmp_path / "run")
        assert digests(tmp_path / "run") == digests(straight_run)
        losses = [
            [row["total_hex"] for row in table(out / "log.csv")] for out in (tmp_path / "run", straight_run)
        ]
        assert losses[0] == losses[1]

    @pytest.mark.parametrize("at", [10, 30])
    def test_a_signal_saves_the_step_it_came_in(self, at, straight_run, tmp_path, recipe_of):
        recipe = recipe_of("steps=6", STAGES)
        with pytest.raises(Stopped, match="stopped at step"):
            run(recipe, tmp_path / "run", signal_at(at, signal.SIGTERM))
        run(recipe, tmp_path / "run")
        assert digests(tmp_path / "run") == digests(straight_run)

    def test_a_run_of_the_other_kind_is_left_alone(self, straight_run, tmp_path, recipe_of):
        with pytest.raises(StorageError, match=r"stages\.json"):
            fit(recipe_of(), [Squares(4)], [], straight_run, device="cpu")
        fit(recipe_of("steps=1"), [Squares(4)], [], tmp_path / "run", device="cpu")
        before = digests(tmp_path / "run")
        with pytest.raises(StorageError, match="holds other files"):
            run(recipe_of("steps=1", STAGES), tmp_path / "run")
        assert digests(tmp_path / "run") == before

    def test_without_validation_there_are_no_pictures(self, tmp_path, recipe_of):
        recipe = recipe_of("steps=2", "stages=[{name: a}, {name: b}]")
        fit_stages(recipe, [Squares(4)], [], tmp_path / "run", device="cpu")
        assert load_run(tmp_path / "run") and not (tmp_path / "run" / "stages.png").exists()
