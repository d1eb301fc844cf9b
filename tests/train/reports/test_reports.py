import csv

import numpy as np
import pytest
import torch
from synthetic import Squares
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mdeas.batches.batch import Batch
from mdeas.images.codec import read_rgb
from mdeas.metrics.mask import ssim
from mdeas.metrics.table import depth_metrics
from mdeas.models.base import Output
from mdeas.train.loop import fit
from mdeas.train.recipe.load import load_recipe
from mdeas.train.reports.log import Board
from mdeas.train.validate import accuracies

EACH = 5  # steps of an epoch: 20 samples in batches of 4


def run(recipe, out):
    return fit(recipe, [Squares(20)], [Squares(5, seed=1)], out)


def board(out):
    found = EventAccumulator(str(out / "tensorboard"), size_guidance={"scalars": 0, "images": 0})
    return found.Reload()


def scalars(found, tag):
    return {event.step: event.value for event in found.Scalars(tag)}


def rows(out, kind):
    with open(out / "log.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """An empty folder for the one run of this module."""
    return tmp_path_factory.mktemp("run") / "out"


@pytest.fixture
def finished(out, recipe_of):
    """A run of twelve steps, two epochs and a part of a third, that validates after each."""
    if not out.exists():
        run(recipe_of("validate_every=epoch"), out)
    return out


def test_tensorboard_has_every_step_and_the_graph(finished):
    found = board(finished)
    for name in ("total", "mask_bce", "depth_ssi", "grad_norm", "lr", "images_per_s"):
        assert sorted(scalars(found, f"train/{name}")) == list(range(1, 13))
    logged = {int(row["step"]): float(row["total"]) for row in rows(finished, "train")}
    assert scalars(found, "train/total") == pytest.approx(logged)
    graph = found.Graph()
    assert len(graph.node) > 10
    assert any("Conv2d" in node.name for node in graph.node)
    ends = {node.name.partition(".")[0] for node in graph.node if node.op == "IO Node"}
    assert ends >= {"input/background", "input/image"}


def test_tensorboard_has_the_means_of_every_epoch(finished):
    found = board(finished)
    steps = {5: range(1, 6), 10: range(6, 11), 12: range(11, 13)}
    logged = rows(finished, "train")
    for name in ("total", "mask_bce", "depth_ssi"):
        means = {last: np.mean([float(logged[step - 1][name]) for step in steps[last]]) for last in steps}
        assert scalars(found, f"epoch/{name}") == pytest.approx(means)
    assert scalars(found, "epoch/number") == {5: 0, 10: 1, 12: 2}
    assert sorted(scalars(found, "epoch/mask_accuracy")) == [5, 10, 12]


def test_accuracies_are_measured_at_the_first_and_every_tenth_step_of_an_epoch(finished):
    measured = {int(row["step"]) for row in rows(finished, "train") if row["mask_accuracy"]}
    assert measured == {1, 6, 11}
    for row in rows(finished, "validation"):
        assert 0 < float(row["mask_accuracy"]) <= 100 and 0 < float(row["depth_accuracy"]) <= 100
    assert sorted(scalars(board(finished), "validation/depth_accuracy")) == [5, 10, 12]


def test_pictures_after_each_epoch(finished):
    names = sorted(path.name for path in (finished / "pictures").iterdir())
    assert names == ["step-000005.png", "step-000010.png", "step-000012.png"]
    assert [event.step for event in board(finished).Images("pictures")] == [5, 10, 12]


def test_the_curve_is_drawn(finished):
    picture = read_rgb(finished / "curve.png")
    assert picture.shape == (900, 900, 3) and len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


def test_means_of_an_epoch_are_whole_after_a_resume(tmp_path, recipe_of, finished):
    recipe = recipe_of("validate_every=epoch")

    class Killed(Exception):
        pass

    def kill(index, sample):
        kill.seen += 1
        if kill.seen > 8 * 4:
            raise Killed
        return sample

    kill.seen = 0
    with pytest.raises(Killed):
        fit(recipe, [Squares(20, change=kill)], [Squares(5, seed=1)], tmp_path / "out")
    run(recipe, tmp_path / "out")
    expected = scalars(board(finished), "epoch/mask_bce")
    assert scalars(board(tmp_path / "out"), "epoch/mask_bce") == pytest.approx(expected)


def test_a_network_that_cannot_be_traced_is_told_and_trains(tmp_path, capsys):
    class Stubborn(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1))

        def forward(self, background, image):
            raise ValueError("not today\nnor tomorrow")

    one = Board(tmp_path, 0)
    one.graph(Stubborn(), 16)
    one.close()
    assert capsys.readouterr().err == "mdeas: warning: TensorBoard gets no graph: not today\n"


def test_figures_that_are_not_known_are_left_out(tmp_path):
    one = Board(tmp_path / "tensorboard", 0)
    one.scalars("validation", 3, {"empty_area": float("nan"), "mask_iou": 0.5})
    one.close()
    assert board(tmp_path).Tags()["scalars"] == ["validation/mask_iou"]


def test_a_word_that_is_no_epoch_is_refused(recipe_of):
    from mdeas.errors import UsageError

    for wrong in ("0", "epochs"):
        with pytest.raises(UsageError, match="validate_every"):
            recipe_of(f"validate_every={wrong}")
    assert load_recipe("twin", ["validate_every=epoch"]).validate_every == "epoch"


def test_accuracy_is_what_evaluation_calls_published_ssim():
    rng = torch.Generator().manual_seed(0)
    samples = [Squares(3)[index] for index in range(3)]
    depth = np.stack([sample.inverse_depth for sample in samples])
    known = np.ones_like(depth, bool)
    known[1, :9], known[2] = False, False
    photos = torch.zeros(3, 3, 32, 32)
    batch = Batch(
        background=photos,
        image=photos,
        mask=torch.from_numpy(np.stack([sample.mask for sample in samples]))[:, None],
        inverse_depth=torch.from_numpy(depth * known)[:, None],
        depth_known=torch.from_numpy(known)[:, None],
        ids=("a", "b", "c"),
    )
    noise = torch.randn(3, 1, 32, 32, generator=rng)
    output = Output(4 * noise, 5 * batch.inverse_depth + noise)
    found = accuracies(output, batch, {"mask_bce": 1, "depth_ssi": 1})
    for i, sample in enumerate(samples):
        alpha = output.mask_logits[i, 0].sigmoid().numpy()
        assert found["mask_accuracy"][i] == pytest.approx(100 * ssim(alpha, sample.mask), abs=1e-3)
    for i in range(2):
        metric = np.where(known[i], samples[i].depth, 0)
        truth = type(samples[i])(**{**vars(samples[i]), "depth": metric})
        wanted = depth_metrics(output.depth[i, 0].numpy(), truth)["published_ssim"]
        assert found["depth_accuracy"][i] == pytest.approx(100 * wanted, abs=0.01)
    assert found["depth_accuracy"][2].isnan()
    assert accuracies(output, batch, {"mask_bce": 1})["depth_accuracy"].isnan().all()
