"""Hand-computed tables; the cases are asymmetric, so that swapped arguments cannot hide."""

import math

import numpy as np
import pytest

from mdeas.evaluate.report import _TABLES
from mdeas.metrics import depth, mask
from mdeas.metrics.table import METRICS, depth_metrics, mask_metrics, metric_of, of_task, title_of
from mdeas.sample import Sample

LN2 = math.log(2)


def picture(*rows):
    return np.array([[float(c) for c in row] for row in rows], np.float32)


# 2 pixels shared, 3 only in the prediction, 2 only in the truth.
PREDICTED = picture("0110", "0110", "0010", "0000")
TRUE = picture("1100", "1100", "0000", "0000")
NOTHING = np.zeros((4, 4), np.float32)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("iou", 2 / 7),
        ("f1", 4 / 9),
        ("precision", 2 / 5),
        ("recall", 2 / 4),
        ("mad", 1e3 * 5 / 16),
        ("mse", 1e3 * 5 / 16),
        ("sad", 0.005),
        ("thresholded_iou", 0.0),
        ("soft_dice", (2 * 2 + 1) / (5 + 4 + 1)),
    ],
)
def test_mask_table(name, expected):
    assert METRICS[name].compute(PREDICTED, TRUE) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["iou", "f1", "precision", "recall", "boundary_f", "boundary_iou"])
def test_empty_masks(name):
    compute = METRICS[name].compute
    assert compute(NOTHING, NOTHING) == 1
    assert compute(NOTHING, TRUE) == 0
    assert compute(TRUE, NOTHING) == 0


def test_threshold_counts_one_half_as_inside():
    a, g = np.float32([[0.5, 0.49]]), np.float32([[1, 1]])
    assert mask.iou(a, g) == 0.5


def test_soft_values():
    a, g = np.float32([[0.5, 1, 0, 0]]), np.float32([[1, 0, 0, 0]])
    assert mask.mad(a, g) == pytest.approx(1e3 * 1.5 / 4)
    assert mask.mse(a, g) == pytest.approx(1e3 * 1.25 / 4)
    assert mask.soft_dice(a, g) == pytest.approx(2 / 3.25)


@pytest.mark.parametrize("shared, expected", [(4, 0), (5, 0.1), (6, 0.3), (8, 0.7), (10, 1.0)])
def test_thresholded_iou_rounds_up(shared, expected):
    """IoU shared / 10; the smoothing lifts whole steps just over the edge, as published."""
    a, g = np.zeros((1, 10), np.float32), np.ones((1, 10), np.float32)
    a[0, :shared] = 1
    assert mask.thresholded_iou(a, g) == pytest.approx(expected)


def test_conn_by_hand():
    """Above .5 the middle no longer joins the ends; of two equal components the first is kept."""
    a, g = np.float32([[1, 0.5, 1]]), np.float32([[1, 1, 1]])
    # level 1, .5, .5; phi of a: 1, 1, .5; phi of g: 1, .5, .5
    assert mask.conn(a, g) == pytest.approx(0.5 / 1000)


def test_conn_ignores_distances_under_the_slack():
    a, g = np.float32([[1, 0.9]]), np.float32([[1, 1]])
    assert mask.conn(a, g) == 0


def test_conn_without_any_component():
    assert mask.conn(NOTHING, TRUE) == pytest.approx(4 / 1000)


def naive_filter(x, kernel, border):
    reach = len(kernel) // 2
    padded = np.pad(x.astype(np.float64), reach, mode=border)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return (windows * kernel).sum((2, 3))


def test_grad_against_the_definition():
    x = np.arange(-4, 5)
    gauss = np.exp(-(x**2) / (2 * 1.4**2))
    kernel = gauss[:, None] * (x * gauss)
    kernel /= np.sqrt((kernel**2).sum())
    rng = np.random.default_rng(0)
    a, g = rng.random((2, 12, 15), np.float32)
    norms = [np.hypot(naive_filter(m, kernel, "edge"), naive_filter(m, kernel.T, "edge")) for m in (a, g)]
    assert mask.grad(a, g) == pytest.approx(((norms[0] - norms[1]) ** 2).sum() / 1000, rel=1e-9)


def test_ssim_against_the_definition():
    x = np.arange(-5, 6)
    gauss = np.exp(-(x**2) / (2 * 1.5**2))
    kernel = np.outer(gauss, gauss) / gauss.sum() ** 2
    a, g = np.random.default_rng(0).random((2, 13, 17)).astype(np.float32)
    ma, mg, aa, gg, ag = (naive_filter(m, kernel, "constant") for m in (a, g, a * a, g * g, a * g))
    c1, c2 = 1e-4, 9e-4
    top = (2 * ma * mg + c1) * (2 * (ag - ma * mg) + c2)
    bottom = (ma**2 + mg**2 + c1) * (aa - ma**2 + gg - mg**2 + c2)
    assert mask.ssim(a, g) == pytest.approx((top / bottom).mean(), rel=1e-5)


def test_ssim_of_nothing_is_the_empty_share():
    truth = np.zeros((100, 100), np.float32)
    truth[30:70, 30:70] = 1
    assert mask.ssim(np.zeros_like(truth), truth) == pytest.approx(1 - 0.16, abs=0.1)


def columns(width, *inside):
    """10 rows; the columns of the given ranges are 1."""
    mask = np.zeros((10, width), np.float32)
    for start, stop in inside:
        mask[:, start:stop] = 1
    return mask


@pytest.mark.parametrize(
    "predicted, expected",
    [
        (columns(10, (0, 6)), 1),  # one pixel off is within .8 % of the diagonal, rounded up
        (columns(10, (0, 8)), 0),
        (columns(10, (0, 5), (8, 10)), 2 / 3),  # two outlines, one of them right: precision .5, recall 1
    ],
)
def test_boundary_f(predicted, expected):
    assert mask.boundary_f(predicted, columns(10, (0, 5))) == pytest.approx(expected)


def test_boundary_iou_by_hand():
    """Bands one pixel wide around 6x6 squares that are one column apart: 10 of 30 pixels shared."""
    a, g = np.zeros((2, 20, 20), np.float32)
    a[5:11, 6:12], g[5:11, 5:11] = 1, 1
    assert mask.boundary_iou(a, g) == pytest.approx(10 / 30)


def test_boundary_iou_sees_the_border_of_the_picture():
    """A full picture has a band along its border: 20 + 20 + 18 + 18 pixels."""
    assert np.count_nonzero(mask._inner_band(np.ones((20, 20), bool))) == 76


@pytest.mark.parametrize("num_pixels, expected", [(10, 0), (11, 1)])
def test_empty_component_over_a_thousandth(num_pixels, expected):
    prediction = np.zeros((100, 100), np.float32)
    prediction[np.arange(num_pixels), np.arange(num_pixels)] = 0.5  # a diagonal is connected
    prediction[50::10, 50::10] = 1  # single pixels are not
    assert mask.empty_component(prediction) == expected
    assert mask.empty_area(prediction) == pytest.approx((num_pixels + 25) / 1e4)


def test_empty_pairs_are_counted_apart():
    assert set(mask_metrics(PREDICTED, NOTHING)) == {"empty_area", "empty_component"}
    assert set(mask_metrics(PREDICTED, TRUE)) == set(of_task("mask"))


P, Z = np.array([2.0, 4.0, 1.0]), np.array([1.0, 4.0, 4.0])


@pytest.mark.parametrize(
    "name, expected",
    [
        ("abs_rel", (1 + 0 + 0.75) / 3),
        ("sq_rel", (1 + 0 + 9 / 4) / 3),
        ("rmse", math.sqrt(10 / 3)),
        ("rmse_log", LN2 * math.sqrt(5 / 3)),
        ("log10", 3 * math.log10(2) / 3),
        ("delta1", 1 / 3),
        ("silog", LN2 * math.sqrt(5 / 3 - 0.5 / 9)),
        ("published_mae", 4 / 3),
        ("published_mse", 10 / 3),
    ],
)
def test_depth_table(name, expected):
    assert METRICS[name].compute(P, Z) == pytest.approx(expected)


def test_delta_is_the_share_strictly_below():
    p, z = np.array([1.25, 1.0, 1.5, 1.9]), np.array([1.0, 1.24, 1.0, 1.0])
    assert [METRICS[f"delta{k}"].compute(p, z) for k in (1, 2, 3)] == [0.25, 0.75, 1.0]


def depth_sample(z, mask=None, kind="metric"):
    photo = np.zeros((*z.shape, 3), np.uint8)
    depth = np.asarray(z, np.float32)
    return Sample(background=photo, image=photo, mask=mask, depth=depth, depth_kind=kind)


def test_affine_alignment_undoes_scale_and_shift():
    truth = np.random.default_rng(0).uniform(0.1, 1, (8, 9)).astype(np.float32)
    aligned = depth.align(5 * truth - 3, truth, np.ones((8, 9), bool), "affine-disparity")
    np.testing.assert_allclose(aligned, truth, rtol=1e-5)


def test_median_alignment_undoes_scale_only():
    truth = np.random.default_rng(0).uniform(0.1, 1, (9, 9)).astype(np.float32)
    known = np.ones((9, 9), bool)
    np.testing.assert_allclose(depth.align(7 * truth, truth, known, "median"), truth, rtol=1e-5)
    assert np.abs(depth.align(truth + 1, truth, known, "median") - truth).max() > 0.1


def test_no_alignment_keeps_metres():
    truth = np.float32([[0.5, 0.25]])
    np.testing.assert_allclose(depth.align(truth * 2, truth, np.ones((1, 2), bool), "none"), truth * 2)


@pytest.mark.parametrize("alignment", depth.ALIGNMENTS)
def test_no_depth_exceeds_one_and_a_half_times_the_farthest(alignment):
    truth = np.float32([[1, 0.5, 0.25, 0]])  # farthest 4 m
    aligned = depth.align(np.float32([[3, 1.5, 0.75, -9]]), truth, truth > 0, alignment)
    assert (1 / aligned).max() == pytest.approx(6)


def test_constant_prediction_aligns_to_the_mean():
    truth = np.float32([[1, 0.5]])
    for value in (0, 0.1, 7):
        aligned = depth.align(
            np.full((1, 2), value, np.float32), truth, np.ones((1, 2), bool), "affine-disparity"
        )
        np.testing.assert_allclose(aligned, 0.75)


def test_unknown_depth_is_left_out():
    z = np.float32([[2, 0, 4]])
    found = depth_metrics(np.float32([[0.5, 99, 0.25]]), depth_sample(z))
    assert found["delta1"] == 1 and found["abs_rel"] == pytest.approx(0, abs=1e-6)


def test_regions():
    mask = np.zeros((3, 40), np.float32)
    mask[:, 20:] = 1
    known = np.ones((3, 40), bool)
    known[0, 22] = False
    areas = depth.regions(mask, known)
    assert np.flatnonzero(areas["band"][1]).tolist() == list(range(15, 25))
    assert areas["foreground"].sum() == 59 and areas["background"].sum() == 60
    assert list(depth.regions(None, known)) == ["all"]


def test_depth_metrics_by_region():
    z = np.full((20, 20), 4, np.float32)
    mask = np.zeros_like(z)
    mask[:, 10:] = 1
    z[:, 10:] = 2
    prediction = np.where(mask > 0, 1 / 4, 1 / 4).astype(np.float32)  # right behind, wrong in front
    found = depth_metrics(prediction, depth_sample(z, mask), alignment="none")
    assert found["abs_rel_background"] == pytest.approx(0)
    assert found["abs_rel_foreground"] == pytest.approx(1)
    assert found["abs_rel"] == found["abs_rel_band"] == pytest.approx(0.5)


def test_an_empty_region_is_nan():
    found = depth_metrics(
        np.ones((8, 8), np.float32), depth_sample(np.ones((8, 8)), np.zeros((8, 8), np.float32))
    )
    assert math.isnan(found["delta1_foreground"]) and math.isnan(found["boundary_recall"])
    assert found["delta1"] == 1


def test_truth_from_a_network_is_agreement_only():
    d = np.random.default_rng(0).random((16, 16)).astype(np.float32)
    found = depth_metrics(3 * d + 1, depth_sample(d, kind="relative"))
    assert all(name.startswith("agreement_") for name in found)
    assert found["agreement_delta1"] == 1 and found["agreement_ssim"] == pytest.approx(1)


def test_no_depth_no_metrics():
    photo = np.zeros((4, 4, 3), np.uint8)
    without = Sample(background=photo, image=photo, mask=None, depth=None, depth_kind="none")
    assert depth_metrics(np.ones((4, 4), np.float32), without) == {}
    assert depth_metrics(np.ones((4, 4), np.float32), depth_sample(np.zeros((4, 4)))) == {}


SQUARE = np.zeros((12, 12), np.float32)
SQUARE[4:8, 3:9] = 1


@pytest.mark.parametrize(
    "inside, expected",
    [
        (2.0, 1.0),
        (1.0, 0.0),
        (0.5, 0.0),  # farther inside: edges the wrong way round
        (1.08, (1.05 + 1.05 + 0.2 / 9) / 11.5),  # above the first two of the ten thresholds
    ],
)
def test_boundary_recall_of_a_step(inside, expected):
    inverse_depth = np.where(SQUARE > 0, inside, 1.0)
    assert depth.boundary_recall(inverse_depth, SQUARE) == pytest.approx(expected)


def test_boundary_recall_counts_the_steepest_pixel_of_a_ramp_alone():
    mask = columns(10, (5, 10))
    at_the_edge = np.tile([1, 1, 1, 1, 1, 2, 2.6, 2.6, 2.6, 2.6], (10, 1))
    beside_it = np.tile([1, 1, 1, 1, 1, 1.3, 2.6, 2.6, 2.6, 2.6], (10, 1))
    assert depth.boundary_recall(at_the_edge, mask) == pytest.approx(1 / 4)  # one direction of four
    assert depth.boundary_recall(beside_it, mask) == 0


def test_thinning_keeps_the_first_of_equals_in_each_run():
    ratios = np.array([[2.0, 3.0, 3.0, 1.0, 2.0], [3.0, 1.0, 1.5, 4.0, 1.0]])
    kept = depth._thinned(ratios, 1.2)
    np.testing.assert_array_equal(kept, [[0, 1, 0, 0, 1], [1, 0, 0, 1, 0]])


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_prediction_is_the_best_value(name):
    metric = METRICS[name]
    depth = np.random.default_rng(0).uniform(0.2, 1, (12, 12))
    arguments = {
        "mask": (SQUARE, SQUARE),
        "empty": (np.zeros_like(SQUARE),),
        "depth": (depth.ravel(), depth.ravel()),
        "published": (depth.ravel(), depth.ravel()),
        "published map": (depth, depth),
        "edges": (1 + SQUARE, SQUARE),
    }[metric.task]
    assert metric.compute(*arguments) == pytest.approx({"higher": 1, "lower": 0}[metric.better])
    assert type(metric.compute(*arguments)) is float


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_shown_where_its_task_is(name):
    """One table of the summary lists it, with agreement_* for published_*; its digits show a number."""
    metric = METRICS[name]
    tables = [table for table in _TABLES if name in table.columns]
    assert len(tables) == 1
    assert f"{metric.title} {0.25:{metric.digits}}".startswith(title_of(name))
    if name.startswith("published_"):
        agreement = name.replace("published", "agreement")
        assert metric_of(agreement) is metric and title_of(agreement) == f"{metric.title}, teacher's"
        assert agreement in _TABLES[-1].columns
