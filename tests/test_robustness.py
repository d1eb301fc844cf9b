import csv
import io
from dataclasses import replace

import numpy as np
import pytest
import tiny_data

from mdeas import evaluate
from mdeas.baselines import BASELINES
from mdeas.images import decode_rgb, encode_jpeg
from mdeas.predictor import Prediction
from mdeas.robustness import card, disturbances, measure, table
from mdeas.robustness.disturbances import DISTURBANCES
from mdeas.robustness.measure import Cell
from mdeas.sample import Sample

CHANGED = {
    "shift": {"background"},
    "rotation": {"background"},
    "exposure": {"background"},
    "white balance": {"background"},
    "noise": {"background", "image"},
    "JPEG": {"background", "image"},
    "shadow": {"image"},
    "low contrast": {"image"},
}
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


def rng(place=0):
    return np.random.default_rng(place)


def plain(background: int, image: int, mask: np.ndarray) -> Sample:
    """A pair of even grey photos."""
    photos = {
        name: np.full((*mask.shape, 3), value, np.uint8)
        for name, value in (("background", background), ("image", image))
    }
    return Sample(**photos, mask=mask.astype(np.float32), depth=None, depth_kind="none")


def changed(before: Sample, after: Sample) -> set[str]:
    return {
        name
        for name in ("background", "image", "mask", "depth")
        if not np.array_equal(getattr(before, name), getattr(after, name))
    }


class TestDisturbances:
    def test_all_are_known(self):
        assert DISTURBANCES.keys() == CHANGED.keys()

    @pytest.mark.parametrize("name", CHANGED)
    def test_the_truth_is_left_alone(self, name):
        disturbance = DISTURBANCES[name]
        sample = tiny_data.sample(3)
        assert disturbance.disturbed(sample, disturbance.none, 7) is sample
        for level in set(disturbance.levels) - {disturbance.none}:
            seen = disturbance.disturbed(sample, level, 7)
            assert changed(sample, seen) == CHANGED[name]
            assert all(photo.dtype == np.uint8 for photo in (seen.background, seen.image))
            assert not changed(seen, disturbance.disturbed(sample, level, 7))

    def test_labels(self):
        assert DISTURBANCES["exposure"].labels == ("0.5", "0.71", "none", "1.41", "2")
        for disturbance in DISTURBANCES.values():
            assert disturbance.labels.count("none") == 1 and len(set(disturbance.labels)) >= 5

    def test_shift_is_a_roll(self):
        sample = tiny_data.sample(0, 56, 48)  # 56 on the long side: 8 pixels of 224 are 2 of these
        rolls = {(2, 0), (-2, 0), (0, 2), (0, -2)}
        inside = (slice(2, -2), slice(2, -2))
        seen = set()
        for place in range(20):
            moved = DISTURBANCES["shift"].disturbed(sample, 8, place).background[inside]
            fits = {r for r in rolls if np.array_equal(np.roll(sample.background, r, (0, 1))[inside], moved)}
            assert len(fits) == 1
            seen |= fits
        assert seen == rolls

    def test_levels_of_one_pair_go_the_same_way(self):
        sample = tiny_data.sample(0, 56, 48)
        one, three = (DISTURBANCES["shift"].disturbed(sample, level, 3).background for level in (4, 12))
        roll = next(
            r
            for r in ((1, 0), (-1, 0), (0, 1), (0, -1))
            if np.array_equal(np.roll(sample.background, r, (0, 1))[3:-3, 3:-3], one[3:-3, 3:-3])
        )
        far = np.roll(sample.background, (3 * roll[0], 3 * roll[1]), (0, 1))
        assert np.array_equal(far[3:-3, 3:-3], three[3:-3, 3:-3])

    def test_rotation_is_about_the_centre_in_degrees(self):
        sample = tiny_data.sample(0, 40, 40)
        turned = [disturbances.rotation(sample, 90, rng(place)).background for place in range(8)]
        quarters = [np.rot90(sample.background, k) for k in (1, -1)]
        which = [[np.array_equal(quarter, one) for quarter in quarters] for one in turned]
        assert [True, False] in which and [False, True] in which and [False, False] not in which

    def test_exposure_is_a_gain_of_the_light(self):
        sample = plain(100, 100, np.zeros((8, 8)))
        lighter = disturbances.exposure(sample, 2, rng()).background
        assert np.unique(lighter) == 137  # 100 × 2 ** (1 / 2.2) = 137.04
        assert np.unique(disturbances.exposure(sample, 0.5, rng()).background) == 73
        assert np.unique(disturbances.exposure(plain(200, 0, np.zeros((8, 8))), 2, rng()).background) == 255

    def test_white_balance_turns_red_against_blue(self):
        sample = plain(100, 100, np.zeros((8, 8)))
        tints = {
            tuple(disturbances.white_balance(sample, 1.5, rng(place)).background[0, 0].tolist())
            for place in range(8)
        }
        assert tints == {(120, 100, 83), (83, 100, 120)}  # 100 × 1.5 ** (± 1 / 2.2) = 120.24, 83.17

    def test_noise_differs_in_the_photos_and_keeps_its_pattern(self):
        sample = plain(128, 128, np.zeros((64, 64)))
        weak, strong = (disturbances.noise(sample, level, rng(5)) for level in (2, 4))
        deviations = [photo.astype(float) - 128 for photo in (strong.background, strong.image)]
        assert [np.std(d) for d in deviations] == pytest.approx([10.2, 10.2], rel=0.05)  # .04 × 255
        assert abs(np.corrcoef(deviations[0].ravel(), deviations[1].ravel())[0, 1]) < 0.05
        assert np.allclose((weak.image.astype(float) - 128) * 2, deviations[1], atol=2)

    def test_jpeg_is_a_file_of_that_quality(self):
        sample = tiny_data.sample(0)
        seen = disturbances.jpeg(sample, 30, rng())
        for name in ("background", "image"):
            file = encode_jpeg(getattr(sample, name), 30)
            assert np.array_equal(getattr(seen, name), decode_rgb(file, name))

    def test_shadow_takes_light_behind_the_foreground(self, monkeypatch):
        monkeypatch.setattr(disturbances, "_shadow_shape", lambda mask, rng: np.ones_like(mask))
        mask = np.tile(np.float32([0, 0.5, 1]), (2, 1))
        seen = disturbances.shadow(plain(90, 200, mask), 0.6, rng())
        # 200 × .4 ** (1 / 2.2) = 131.87, 200 × .7 ** (1 / 2.2) = 170.07
        assert seen.image[:, :, 0].tolist() == [[132, 170, 200]] * 2

    def test_shadow_is_soft_and_falls_to_the_side_with_room(self):
        for left in (20, 160):
            mask = np.zeros((224, 224))
            mask[60:180, left : left + 40] = 1
            dark = 200 - disturbances.shadow(plain(200, 200, mask), 0.6, rng(left)).image[..., 0].astype(int)
            assert not dark[mask == 1].any() and dark.min() == 0 and dark.max() == 68
            assert len(np.unique(dark)) > 10
            assert (np.nonzero(dark)[1].mean() > left + 20) == (left == 20)

    def test_something_out_of_view_shades_an_empty_pair(self):
        sample = plain(200, 200, np.zeros((100, 140)))
        shades = [disturbances.shadow(sample, 0.6, rng(place)).image for place in range(5)]
        assert all(0.002 < (shade < 190).mean() < 0.3 for shade in shades)
        assert not np.array_equal(shades[0], shades[1])

    def test_contrast_moves_the_foreground_to_the_background(self):
        sample = plain(100, 90, np.array([[0, 0.25, 1, 1]]))
        image = np.repeat(np.uint8([90, 140, 200, 40])[None, :, None], 3, 2)
        seen = disturbances.contrast(replace(sample, image=image), 0.5, rng())
        assert seen.image[0, :, 0].tolist() == [90, 120, 150, 70]
        seen = disturbances.contrast(replace(sample, image=image), 0.1, rng())
        assert seen.image[0, :, 0].tolist() == [90, 104, 110, 94]


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
            assert found.keys() == wanted.keys() & table.COLUMNS.keys()

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
        block = 20 + 20 + 4 * (20 + 116)  # caption, levels, background, image, mask and depth
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
        chosen = card._spread([{"index": index} for index in range(981)])
        assert [row["index"] for row in chosen] == [20 * n for n in range(50)]
        assert len(card._spread([{"index": 0}] * 7)) == 7

    def test_the_pair_in_the_middle_is_shown(self):
        rows = [{"index": 0}, {"index": 1, "iou": 0.9}, {"index": 2, "iou": 0.1}, {"index": 3, "iou": 0.8}]
        assert card._typical(rows)["index"] == 3
        assert card._typical(rows[:1])["index"] == 0
