import csv
import json
import math

import numpy as np
import pytest
import tiny_data
import tiny_model

from mdeas.dataset.dataset import Dataset
from mdeas.errors import InputError, ModelError, StorageError
from mdeas.evaluate import evaluate, report
from mdeas.images.codec import read_rgb
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.predictor import Prediction


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with model.onnx, data/ and out/, the evaluation of the one on the other."""
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "model.onnx").write_bytes(tiny_model.model_bytes())
    tiny_data.write(folder / "data")
    run(folder)
    return folder


def run(folder, model="model.onnx", out="out", **options):
    choice = ModelChoice(model=folder / model, threads=1)
    return evaluate.evaluate(choice, folder / "data", folder / out, **options)


def summary_of(folder):
    return json.loads((folder / "out" / report.SUMMARY).read_text())


def test_summary(folder):
    summary = summary_of(folder)
    assert summary["model"] == "tiny" and summary["alignment"] == "affine-disparity"
    assert summary["num_pictures"] == {"all": 6, "filled": 4, "empty": 1, "unmasked": 1}
    assert list(summary["data"]) == ["fingerprint", "name", "split"]
    assert set(summary["predictors"]) == {"tiny", *BASELINES}
    tiny = summary["predictors"]["tiny"]
    assert tiny["iou"] > 0.8 and tiny["empty_area"] == 0 and tiny["empty_component"] == 0
    assert {"delta1", "delta1_band", "boundary_recall", "agreement_ssim"} <= set(tiny)


def test_baselines_are_scored_on_what_they_predict(folder):
    found = summary_of(folder)["predictors"]
    assert found["zero"]["iou"] == 0 and found["difference"]["iou"] == 1
    assert "delta1" not in found["difference"] and "iou" not in found["gradient"]
    assert found["gradient+mask"]["delta1_foreground"] > found["gradient"]["delta1_foreground"]


def test_rows(folder):
    with open(folder / "out" / report.ROWS, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * (1 + len(BASELINES))
    mine = [row for row in rows if row["predictor"] == "tiny"]
    assert [row["kind"] for row in mine] == ["filled", "filled", "empty", "unmasked", "filled", "filled"]
    assert mine[0]["iou"] and not mine[0]["empty_area"]
    assert mine[2]["empty_area"] and not mine[2]["iou"] and not mine[2]["delta1_foreground"]
    assert mine[3]["delta1"] and not mine[3]["iou"] and not mine[3]["delta1_band"]
    assert mine[4]["iou"] and not mine[4]["delta1"] and not mine[4]["agreement_rmse"]
    assert mine[5]["agreement_rmse"] and not mine[5]["abs_rel"]


def test_means_leave_nan_out():
    rows = [
        {"predictor": "a", "kind": "filled", "iou": 0.5, "delta1_band": math.nan},
        {"predictor": "a", "kind": "empty", "empty_area": 0.25, "delta1_band": 0.75},
        {"predictor": "a", "kind": "filled", "iou": 1.0, "silog_band": math.nan},
        {"predictor": "b", "kind": "filled", "iou": 0.0},
    ]
    found = evaluate.summarize(rows, ["a", "b"])
    assert found["predictors"] == {
        "a": {"iou": 0.75, "delta1_band": 0.75, "empty_area": 0.25},
        "b": {"iou": 0},
    }
    assert found["num_pictures"] == {"all": 3, "filled": 2, "empty": 1, "unmasked": 0}


def test_table_names_the_protocol(folder):
    text = (folder / "out" / report.TABLE).read_text()
    for part in (
        "cut at .5",
        "alignment affine-disparity",
        "mean over pictures",
        "agreement and not accuracy",
    ):
        assert part in text
    mask_table = text.split("## Mask\n")[1].split("## ")[0]
    assert [line.split("|")[1].strip() for line in mask_table.splitlines() if line.startswith("| ")] == [
        "predictor",
        "tiny",
        "zero",
        "difference",
        "mog2",
    ]


def test_sheets(folder):
    for name in ("random.png", "worst-mask.png", "worst-empty.png", "worst-depth.png", "worst-agreement.png"):
        assert read_rgb(folder / "out" / name).shape[1] > 6 * 160


def test_robustness_card(folder):
    """Undisturbed, the card says what the summary says; all pairs with a mask are in both."""
    with open(folder / "out" / "robustness.csv", newline="") as file:
        rows = {(row["disturbance"], row["level"], row["predictor"]): row for row in csv.DictReader(file)}
    for predictor in ("tiny", "difference"):
        plain, found = rows["shift", "none", predictor], summary_of(folder)["predictors"][predictor]
        for name in ("iou", "mad", "boundary_f", "empty_area"):
            assert float(plain[name]) == found[name]
    assert float(rows["low contrast", "0.1", "tiny"]["iou"]) < float(
        rows["low contrast", "none", "tiny"]["iou"]
    )
    assert "# Robustness of tiny on data, split test" in (folder / "out" / "robustness.md").read_text()
    for name in ("robustness.png", "robustness-pictures.png"):
        assert read_rgb(folder / "out" / name).shape[1] > 1000


def test_a_comparison_does_not_pay_for_the_card(folder):
    predictors, samples = [BASELINES["zero"]], Dataset(folder / "data", "test")
    evaluate.evaluate_predictors(predictors, samples, folder / "plain")
    assert not list((folder / "plain").glob("robustness*"))


def test_worst_rows_come_first():
    """The least IoU and the largest area; rows that have none are left out."""
    iou = [{"iou": 0.9}, {"iou": 0.1}, {"empty_area": 0.5}, {"iou": math.nan}]
    assert report._worst(iou, "iou") == [{"iou": 0.1}, {"iou": 0.9}]
    area = [{"empty_area": 0.1}, {"empty_area": 0.5}, {"iou": 0.0}]
    assert report._worst(area, "empty_area") == [{"empty_area": 0.5}, {"empty_area": 0.1}]


def test_nothing_is_overwritten_without_force(folder):
    with pytest.raises(StorageError) as caught:
        run(folder)
    assert caught.value.code == "E-EXISTS"


def test_limit_and_alignment(folder):
    summary = run(folder, out="limited", limit=2, alignment="median")
    assert summary["num_pictures"]["all"] == 2 and summary["alignment"] == "median"
    assert "alignment median" in (folder / "limited" / report.TABLE).read_text()
    assert not (folder / "limited" / "worst-empty.png").exists()


def test_a_baseline_is_measured_once():
    predictor = BASELINES["zero"]
    rows, seconds = evaluate.measure([predictor], tiny_data.samples(), 3, "median")
    assert [row["id"] for row in rows] == ["tiny-000", "tiny-001", "tiny-002"] and seconds >= 0


def test_a_perfect_predictor_scores_best():
    """What is in the rows comes from the right arguments in the right order."""
    sample = tiny_data.sample(0)
    perfect = Prediction(sample.mask, 3 * sample.inverse_depth + 2)
    row = evaluate.score(perfect, sample, ("mask", "depth"), "affine-disparity")
    assert row["iou"] == row["boundary_f"] == row["delta1"] == 1
    assert row["abs_rel"] == pytest.approx(0, abs=1e-5) and row["boundary_recall"] > 0.9
    half = Prediction(np.where(np.arange(48) < 12, sample.mask, 0), perfect.depth)
    row = evaluate.score(half, sample, ("mask",), "affine-disparity")
    assert row["precision"] == 1 and 0 < row["recall"] < 1 and "delta1" not in row


def test_missing_things_are_told(folder):
    with pytest.raises(ModelError):
        run(folder, model="missing.onnx", out="x")
    with pytest.raises(InputError):
        run(folder, out="x", split="validation")
    assert not (folder / "x").exists()
