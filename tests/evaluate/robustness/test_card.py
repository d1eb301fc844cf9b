import csv
import io

import numpy as np
import pytest
import tiny_data

from mdeas.evaluate import evaluate
from mdeas.evaluate.robustness import card, measure, table
from mdeas.evaluate.robustness.disturbances import DISTURBANCES
from mdeas.evaluate.robustness.measure import Cell
from mdeas.images.codec import decode_rgb
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.predictor import Prediction

ALIGNMENT = "affine-disparity"
SUMMARY = {
    "model": "tiny",
    "alignment": ALIGNMENT,
    "data": {"name": "data", "split": "test", "fingerprint": "0123456789abcdef"},
}


class Known:
    """A predictor that knows the truth of some samples by their images; anything else it calls empty."""

    name, tasks = "known", ("mask", "depth")

    def __init__(self, samples):
        self.truth = {s.image.tobytes(): s for s in samples}

    def predict(self, background, image):
        sample = self.truth.get(image.tobytes())
        nothing = np.zeros(image.shape[:2], np.float32)
        if sample is None:
            return Prediction(nothing, nothing)
        depth = nothing if sample.depth is None else sample.inverse_depth
        return Prediction(nothing if sample.mask is None else sample.mask, depth)


class TestMeasure:
    @pytest.mark.parametrize("alignment", ["affine-disparity", "median"])
    def test_scores_are_those_of_an_evaluation(self, alignment):
        predictor = BASELINES["gradient+mask"]
        for sample in [s for s in tiny_data.samples() if s.mask is not None]:
            prediction = predictor.predict(sample.background, sample.image)
            prediction = Prediction(np.minimum(prediction.depth, 1), prediction.depth)
            tasks = ("mask", "depth")
            found = measure.score(prediction, sample, tasks, alignment)
            wanted = evaluate.score(prediction, sample, tasks, alignment)
            assert found == {name: wanted[name] for name in found}
            assert found.keys() == wanted.keys() & measure.PROTOCOLS.keys()

    def test_each_metric_has_its_pairs(self):
        """Empty pairs count by their area alone, pairs without depth not for δ1, a teacher's apart."""
        by_sample = [
            set(measure.score(Known([s]).predict(s.background, s.image), s, ("mask", "depth"), ALIGNMENT))
            for s in (s for s in tiny_data.samples() if s.mask is not None)
        ]
        mask = {"iou", "boundary_f", "mad"}
        assert by_sample == [
            mask | {"delta1"},
            mask | {"delta1"},
            {"empty_area", "delta1"},
            mask,
            mask | {"agreement_delta1"},
        ]

    def test_means_over_the_pairs_that_have_a_metric(self):
        samples = [tiny_data.sample(0), tiny_data.sample(1, filled=False), tiny_data.sample(2)]
        predictors = [Known(samples[:2]), BASELINES["difference"]]
        means = measure.measure(predictors, samples, [0, 1, 2], ALIGNMENT)
        assert means[Cell("shift", "none", "known")]["iou"] == 0.5  # one known, one not
        assert means[Cell("shift", "none", "known")]["empty_area"] == 0
        assert means[Cell("JPEG", "10", "known")]["iou"] == 0  # other images are not known
        assert means[Cell("shift", "none", "difference")] == means[Cell("low contrast", "none", "difference")]
        levels = sum(len(disturbance.levels) for disturbance in DISTURBANCES.values())
        assert len(means) == 2 * levels

    def test_only_the_pairs_asked_for(self):
        samples = [tiny_data.sample(0), tiny_data.sample(1)]
        means = measure.measure([Known(samples[1:])], samples, [1], ALIGNMENT)
        assert means[Cell("noise", "none", "known")]["iou"] == 1


class TestTable:
    MEANS = {  # noqa: RUF012
        Cell(name, label, predictor): {"iou": iou, "mad": 12.34} if predictor == "net" else {"iou": iou / 2}
        for name, disturbance in DISTURBANCES.items()
        for label, iou in zip(disturbance.labels, np.linspace(1, 0.4, len(disturbance.labels)), strict=True)
        for predictor in ("net", "difference")
    }

    def test_a_line_a_metric_and_predictor(self):
        facts = {"pairs": 3, "filled": 2, "empty": 1, "plot": "p.png", "pictures": "q.png"}
        text = table.markdown(self.MEANS, facts | SUMMARY | SUMMARY["data"])
        assert text.startswith("# Robustness of tiny on data, split test\n\n3 pairs with a true mask")
        assert "Data 0123456789ab." in text and "- MAD: " in text and "- depth" not in text
        exposure = text.split("## exposure")[1].split("## ")[0].strip().splitlines()
        assert exposure[2:] == [
            "| times the light | 0.5 | 0.71 | none | 1.41 | 2 |",
            "|---|---:|---:|---:|---:|---:|",
            "| mask IoU | 1.000 | 0.850 | 0.700 | 0.550 | 0.400 |",
            "| mask IoU, difference + Otsu | 0.500 | 0.425 | 0.350 | 0.275 | 0.200 |",
            "| MAD | 12.3 | 12.3 | 12.3 | 12.3 | 12.3 |",
        ]

    def test_csv_has_all_digits(self):
        rows = list(csv.DictReader(io.StringIO(table.csv(self.MEANS).decode())))
        assert list(rows[0]) == ["disturbance", "level", "predictor", "iou", "mad"]
        assert rows[0] == {
            "disturbance": "shift", "level": "none", "predictor": "net", "iou": "1.0", "mad": "12.34",
        }  # fmt: skip
        assert rows[1]["mad"] == ""


class TestCard:
    def rows(self, predictor, samples):
        return evaluate.measure([predictor], samples, len(samples), ALIGNMENT)[0]

    def files(self, predictor, samples):
        return card.card(predictor, samples, self.rows(predictor, samples), SUMMARY)

    def test_equal_runs_give_equal_files(self):
        samples = tiny_data.samples()
        files = self.files(Known(samples), samples)
        assert list(files) == [card.ROWS, card.PLOT, card.PICTURES, card.TABLE]
        assert files == self.files(Known(samples), samples)
        text = files[card.TABLE].decode()
        assert "5 pairs with a true mask" in text and "4 with something in them, 1 empty" in text
        assert "depth δ1, teacher's" in text

    def test_pictures_show_every_level(self):
        samples = tiny_data.samples()
        sheet = decode_rgb(self.files(Known(samples), samples)[card.PICTURES], "sheet")
        row = 20 + round(112 * 40 / 48) + 4  # a caption, and pictures of 48×40
        block = 20 + 20 + 4 * row  # caption, levels, background, image, mask and depth
        assert sheet.shape == (4 * block, (7 + 6) * 116 + 24, 3)

    def test_a_predictor_of_one_task(self):
        samples = tiny_data.samples()
        text = self.files(BASELINES["gradient"], samples)[card.TABLE].decode()
        assert "| depth δ1 |" in text and "| mask IoU |" not in text
        assert "| mask IoU, difference + Otsu |" in text

    def test_the_baseline_is_not_beside_itself(self):
        samples = [tiny_data.sample(0)]
        text = self.files(BASELINES["difference"], samples)[card.TABLE].decode()
        assert "| mask IoU |" in text and "| mask IoU, " not in text

    def test_no_masks_no_card(self):
        assert self.files(BASELINES["gradient"], [tiny_data.sample(0, mask=None)]) == {}

    def test_pairs_are_bounded_and_spread(self):
        chosen = card._chosen([{"index": index, "kind": "filled"} for index in range(981)])
        assert [row["index"] for row in chosen] == [20 * n for n in range(50)]
        assert len(card._chosen([{"index": 0, "kind": "empty"}] * 7)) == 7
        assert card._chosen([{"index": 0, "kind": "unmasked"}]) == []

    def test_the_pair_in_the_middle_is_shown(self):
        rows = [{"index": 0}, {"index": 1, "iou": 0.9}, {"index": 2, "iou": 0.1}, {"index": 3, "iou": 0.8}]
        assert card._typical(rows)["index"] == 3
        assert card._typical(rows[:1])["index"] == 0
