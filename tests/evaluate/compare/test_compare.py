"""The comparison on tiny data with two tiny trained networks, one of which does one task."""

import csv
import json
import os
import signal
import sys

import numpy as np
import pytest
import tiny_data
import tiny_model
import torch
from torch import nn

from mdeas.cli import main
from mdeas.errors import InputError, ModelError, Stopped, StorageError, UsageError, WorkerError
from mdeas.evaluate.compare import compare as module
from mdeas.evaluate.compare import figure, measure, table, training
from mdeas.evaluate.compare.candidate import training_cost
from mdeas.evaluate.compare.entries import Entry, entries
from mdeas.images.codec import decode_rgb, read_rgb
from mdeas.models.base import PairNetwork
from mdeas.models.registry import _REGISTRY as REGISTRY
from mdeas.models.registry import register
from mdeas.runtime.baselines import BASELINES
from mdeas.system.files import write_json
from mdeas.train.loop import fit
from mdeas.train.recipe.load import load_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = """
model: {name: %s}
loss: {%s: 1}
data: {size: 32, batch_size: 2, workers: 0}
threads: 1
steps: 3
"""


class Source(list):
    """Samples in memory to train on."""

    fingerprint = "in memory"


class Core(nn.Module):
    """One 3×3 convolution on the concatenated photos."""

    def __init__(self, heads):
        super().__init__()
        self.layer, self.heads = nn.Conv2d(6, heads, 3, padding=1), heads

    def forward(self, background, image):
        return self.layer(torch.cat([background, image], 1)).split(1, 1)


def both() -> PairNetwork:
    return PairNetwork(Core(2), multiple=2)


def mask_only() -> PairNetwork:
    return PairNetwork(Core(1), multiple=2, heads=("mask",))


@pytest.fixture(scope="module", autouse=True)
def architectures():
    register("tiny-both", reference="tests", parameters=110)(both)
    register("tiny-mask", reference="tests", parameters=55)(mask_only)
    yield
    del REGISTRY["tiny-both"], REGISTRY["tiny-mask"]


@pytest.fixture(scope="module")
def folder(architectures, tmp_path_factory):
    """data/, runs/both and runs/mask, model.onnx, and out/, their comparison."""
    folder = tmp_path_factory.mktemp("compare")
    tiny_data.write(folder / "data")
    (folder / "model.onnx").write_bytes(tiny_model.model_bytes())
    for name, term in (("both", "depth_ssi"), ("mask", "mask_bce")):
        (folder / f"{name}.yaml").write_text(RECIPE % (f"tiny-{name}", term))
        samples = Source([tiny_data.sample(0), tiny_data.sample(1), tiny_data.sample(2, filled=False)])
        fit(load_recipe(folder / f"{name}.yaml"), [samples], [], folder / "runs" / name, device="cpu")
    run(folder)
    return folder


def run(folder, *words, out="out", data="data", **options):
    runs = words or (folder / "runs" / "both", folder / "runs" / "mask", folder / "model.onnx")
    return module.compare([str(word) for word in runs], folder / data, folder / out, threads=1, **options)


def rows(folder, out="out"):
    with open(folder / out / module.CSV, newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def summary(folder, name):
    return json.loads((folder / "out" / "evaluations" / name / "summary.json").read_text())


def cells(folder, name, out="out"):
    """The line of one network in the Markdown table, by column."""
    lines = (folder / out / module.TABLE).read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {name} |")]
    return dict(zip(table.COLUMNS, (cell.strip() for cell in line.split("|")[2:-1]), strict=True))


def test_baselines_come_first(folder):
    names = list(rows(folder))
    assert names == [*(one.title for one in BASELINES.values()), "both", "mask", "model"]


def test_quality_is_what_evaluate_says(folder):
    found, means = rows(folder)["both"], summary(folder, "both")["predictors"]["both"]
    for name in ("iou", "mad", "boundary_f", "empty_area", "abs_rel", "delta1", "boundary_recall"):
        assert float(found[name]) == means[name]
    assert float(found["ssim_mask_percent"]) == 100 * means["ssim"]
    assert float(found["ssim_depth_percent"]) == 100 * means["published_ssim"]
    means = summary(folder, "baselines")["predictors"]
    assert float(rows(folder)["MOG2"]["iou"]) == means["mog2"]["iou"]
    assert float(rows(folder)["vertical gradient"]["delta1"]) == means["gradient"]["delta1"]


def test_size_and_cost(folder):
    found = rows(folder)["both"]
    assert found["parameters"] == "110"
    assert float(found["gflop_224"]) == pytest.approx(2 * 224 * 224 * 2 * 6 * 9 / 1e9)
    cost = json.loads((folder / "runs" / "both" / "last.json").read_text())["cost"]
    assert found["training_pictures"] == "6" and float(found["training_s"]) == cost["seconds"]
    assert float(found["training_ms_per_picture"]) == pytest.approx(1000 * cost["seconds"] / 6)
    assert float(found["training_peak_mib"]) == cost["peak_memory_mib"] > 50
    assert 0 < float(found["ms_fastest"]) <= float(found["ms"])


def test_a_task_that_a_network_does_not_do_is_a_dash(folder):
    found = cells(folder, "mask")
    dashes = {name for name, cell in found.items() if cell == "–"}
    assert dashes == {"abs_rel", "delta1", "boundary_recall", "ssim_depth_percent"}
    assert cells(folder, "difference + Otsu")["delta1"] == "–" != cells(folder, "difference + Otsu")["iou"]


def test_an_onnx_file_of_an_unknown_architecture_has_no_size_and_no_cost(folder):
    found = cells(folder, "model")
    assert found["parameters"] == found["gflop_224"] == found["training_pictures"] == "–"
    assert found["iou"].strip("*") == f"{summary(folder, 'model')['predictors']['model']['iou']:.3f}"


def test_best_of_the_networks_is_bold(folder):
    found = {name: cells(folder, name) for name in ("both", "mask", "model", "difference + Otsu")}
    assert found["mask"]["parameters"] == "**55**" and found["both"]["parameters"] == "110"
    best = max(("both", "mask", "model"), key=lambda name: float(rows(folder)[name]["iou"]))
    assert found[best]["iou"].startswith("**")
    assert not any(cell.startswith("**") for cell in found["difference + Otsu"].values())
    assert found["both"]["training_pictures"] == "6"  # more is not better


def test_protocol(folder):
    text = (folder / "out" / module.TABLE).read_text()
    for part in (
        "split test, 6 pictures (4 with something in them, 1 empty pairs, 1 without",
        "each network works, pixels: both 32, mask 32, model 64",
        "one pair at 64×64 pixels",
        "threads: 1",
        "alignment affine-disparity",
        "On cpu: both, mask.",
    ):
        assert part in text


def test_pictures_and_figure(folder):
    """The figure has the colours of three networks; the sheet shows photos and truth in the right columns."""
    colours = np.unique(read_rgb(folder / "out" / module.FIGURE).reshape(-1, 3), axis=0)
    assert sum(bool(np.ptp(colour.astype(int)) > 60) for colour in colours) > 3
    sheet = read_rgb(folder / "out" / module.PICTURES)
    pitch, top, height = (
        128 + 4,
        60,
        round(128 * 40 / 48),
    )  # below the caption, the titles, the first row's name
    assert sheet.shape[1] == 6 * pitch  # background, image, true mask, three networks
    sample = tiny_data.sample(0)
    truth = np.dstack([255 * sample.mask] * 3)
    for column, picture in enumerate((sample.background, sample.image, truth)):
        shown = sheet[top : top + height, column * pitch : column * pitch + 128]
        np.testing.assert_allclose(shown.mean((0, 1)), picture.mean((0, 1)), atol=4)


def count_measured(monkeypatch):
    measured = []
    real = measure.evaluate_predictors

    def counted(predictors, *arguments, **options):
        measured.append(predictors[0].name)
        return real(predictors, *arguments, **options)

    monkeypatch.setattr(measure, "evaluate_predictors", counted)
    return measured


def test_a_finished_comparison_is_renewed_only_by_force_and_keeps_what_is_true(folder, monkeypatch):
    measured, before = count_measured(monkeypatch), rows(folder)["both"]["iou"]
    with pytest.raises(StorageError, match="--force"):
        run(folder)
    monkeypatch.setattr("mdeas.export.export.export", None)  # exports are kept as well
    run(folder, force=True)
    assert measured == [] and rows(folder)["both"]["iou"] == before


def test_a_stopped_comparison_goes_on(folder, monkeypatch):
    measured = count_measured(monkeypatch)
    monkeypatch.setattr(module, "milliseconds", lambda predictors, size: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(folder, folder / "model.onnx", out="stopped")
    monkeypatch.undo()
    assert measured == ["zero", "model"] and not (folder / "stopped" / module.TABLE).exists()
    measured = count_measured(monkeypatch)
    run(folder, folder / "model.onnx", out="stopped")
    assert measured == []


def test_what_has_changed_is_measured_again(folder, monkeypatch):
    run(folder, folder / "model.onnx", out="changed")
    measured = count_measured(monkeypatch)
    run(folder, folder / "model.onnx", out="changed", size=32, force=True)
    assert measured == ["model"]
    run(folder, folder / "model.onnx", out="changed", size=32, limit=2, force=True)
    assert measured == ["model", "zero", "model"]
    assert "All networks work at 32 pixels" in (folder / "changed" / module.TABLE).read_text()


def test_data_without_depth_leaves_dashes(folder):
    flat = [tiny_data.sample(i, depth=None, depth_kind="none") for i in range(2)]
    tiny_data.write(folder / "flat", test=flat)
    run(folder, folder / "model.onnx", out="flat-out", data="flat")
    found = cells(folder, "model", out="flat-out")
    assert found["delta1"] == found["ssim_depth_percent"] == "–" != found["iou"]
    assert cells(folder, "vertical gradient", out="flat-out")["delta1"] == "–"


def test_a_teachers_depth_is_agreement(folder):
    tiny_data.write(folder / "taught", test=tiny_data.samples()[5:])
    text = run(folder, folder / "model.onnx", out="taught-out", data="taught")
    assert "agreement, not accuracy" in text
    found = cells(folder, "model", out="taught-out")
    assert found["delta1"] == "–" != found["ssim_depth_percent"]


def test_bad_input_is_one_clear_line(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    copy = tmp_path / "both"
    copy.symlink_to(folder / "runs" / "both")
    twice = tmp_path / "Both.onnx"
    twice.write_bytes(b"")
    for words, kind, part in (
        ([tmp_path / "empty"], ModelError, "holds no last.safetensors"),
        ([tmp_path / "nothing"], UsageError, "Recipes: "),
        ([copy, twice], UsageError, "'both' is taken"),
        ([folder / "model.onnx", folder / "model.onnx"], UsageError, "'model' is taken"),
    ):
        with pytest.raises(kind, match=part):
            run(folder, *words, out="bad")
    with pytest.raises(InputError, match="no samples in split 'validation'; it has test"):
        run(folder, out="bad", split="validation")
    assert not (folder / "bad").exists()


def test_the_command(folder, capsys):
    words = ["compare", str(folder / "model.onnx"), "--data", str(folder / "data"), "--limit", "2"]
    assert main([*words, "-o", str(folder / "command"), "--size", "32", "--threads", "1"]) == 0
    assert capsys.readouterr().out.startswith("| | parameters |")


def test_models_of_the_package_by_their_names(folder, capsys):
    words = ["compare", "default", "default-int8", "--data", str(folder / "data"), "--limit", "1"]
    assert main([*words, "-o", str(folder / "packaged"), "--size", "32", "--threads", "1"]) == 0
    table = capsys.readouterr().out
    assert "\n| default |" in table and "\n| default-int8 |" in table


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data to train on and a short recipe."""
    place = tmp_path_factory.mktemp("training")
    tiny_data.write(place / "data", train=[tiny_data.sample(0), tiny_data.sample(1)], test=[])
    (place / "small.yaml").write_text(RECIPE % ("twin-s", "mask_bce"))
    return place


class TestTraining:
    def test_a_recipe_is_trained_once_in_a_process_of_its_own(self, place, monkeypatch):
        (entry,) = entries([str(place / "small.yaml")], place / "runs")
        assert entry.name == "small" and entry.source == place / "runs" / "small" and entry.is_run
        training.train(entry, place / "data")
        assert training_cost(entry.source)["images"] == 6
        weights = (entry.source / "last.safetensors").read_bytes()
        commands = []
        monkeypatch.setattr(training, "_wait", lambda words: commands.append(words) or (0, None))
        training.train(entry, place / "data")
        assert commands == [] and (entry.source / "last.safetensors").read_bytes() == weights
        (entry.source / "last.safetensors").write_bytes(weights[:-1])
        training.train(entry, place / "data")  # other weights than those of the finished run
        assert [words[-5:] for words in commands] == [
            [str(place / "small.yaml"), "--data", str(place / "data"), "-o", str(entry.source)]
        ]

    def test_a_failure_is_told(self, place, monkeypatch):
        monkeypatch.setattr(training, "_wait", lambda words: (6, None))
        entry = Entry(name="bad", source=place / "runs" / "bad", recipe=str(place / "small.yaml"))
        with pytest.raises(WorkerError, match="exit code 6"):
            training.train(entry, place / "data")

    def test_a_signal_is_passed_on(self, place, monkeypatch):
        tell = f"import os, time; os.kill({os.getpid()}, {signal.SIGTERM:d}); time.sleep(60)"
        sleeper = [sys.executable, "-c", tell]
        wait = training._wait
        monkeypatch.setattr(training, "_wait", lambda words: wait(sleeper))
        entry = Entry(name="slow", source=place / "runs" / "slow", recipe=str(place / "small.yaml"))
        with pytest.raises(Stopped) as caught:
            training.train(entry, place / "data")
        assert caught.value.exit_code == 128 + signal.SIGTERM

    def test_stages_are_summed(self, tmp_path):
        cost = {"images": 4, "seconds": 1.5, "peak_memory_mib": 7.0, "peak_gpu_memory_mib": 0.0}
        for number, device in enumerate(("cpu", "a GPU")):
            card = {"model": "x", "options": {}, "sha256": "", "cost": cost | {"device": device}}
            write_json(tmp_path / "stages" / f"0{number}-a" / "last.json", card)
        found = {"images": 8, "seconds": 3.0, "peak_memory_mib": 7.0, "peak_gpu_memory_mib": 0.0}
        assert training_cost(tmp_path) == found | {"device": "a GPU"}


class TestFigure:
    def test_labels_do_not_meet(self):
        taken = [figure.Box(90, 90, 110, 110)]
        frame = figure.Box(0, 0, 400, 200)
        for _ in range(12):
            box = figure._free((100, 100), 10, 50, 12, taken, frame)
            assert not any(box.meets(other) for other in taken)
            assert box.left > 0 and box.top < 200
            taken.append(box)

    def test_it_draws_without_a_network_in_a_panel(self):
        """The mask panel has the network's bubble in its colour; the depth panel has none."""
        row = {"name": "a", "network": True, "ms": 3.0, "iou": 0.5, "parameters": 1e6}
        picture = decode_rgb(figure.figure([row]), "figure")
        blue = (picture[..., 2].astype(int) - picture[..., 0]) > 60  # the first colour of tab20
        half = picture.shape[1] // 2
        assert blue[:, :half].sum() > 20 and not blue[:, half:].any()
        height, width = picture.shape[:2]
        middle = picture[int(0.42 * height) : int(0.45 * height), int(0.63 * width) : int(0.78 * width)]
        assert (middle < 80).any()  # the words that say why it is empty

    def test_time(self):
        assert table.shown("training_s", 3725.4) == "1:02:05"
