"""Losses against hand-computed values and a plain reference, and at the truths that break naive ones."""

import dataclasses
import math

import pytest
import torch
from torch.nn import functional as F

from mdeas.batches.batch import Batch
from mdeas.models.base import Output
from mdeas.train.losses.depth import least_squares
from mdeas.train.losses.ssim import C1, C2, SIGMA, WINDOW, ssim_map
from mdeas.train.losses.table import LOSSES, loss_terms
from mdeas.train.losses.views import Views, standardised

torch.set_num_threads(1)


def ssim_by_convolution(first, second):
    """The published way: five 11×11 convolutions of the Gaussian window, zero padding."""
    line = torch.exp(-(torch.arange(WINDOW) - WINDOW // 2).double().square() / (2 * SIGMA**2))
    window = (torch.outer(line, line) / line.sum() ** 2).float()[None, None]

    def blur(x):
        return F.conv2d(x, window, padding=WINDOW // 2)

    m1, m2 = blur(first), blur(second)
    v1, v2 = blur(first * first) - m1 * m1, blur(second * second) - m2 * m2
    cov = blur(first * second) - m1 * m2
    return (2 * m1 * m2 + C1) * (2 * cov + C2) / ((m1 * m1 + m2 * m2 + C1) * (v1 + v2 + C2))


def batch_of(mask, inverse_depth=None, known=None) -> Batch:
    mask = torch.as_tensor(mask, dtype=torch.float32).view(1, 1, *torch.as_tensor(mask).shape[-2:])
    depth = torch.zeros_like(mask) if inverse_depth is None else torch.as_tensor(inverse_depth).view_as(mask)
    known = depth > 0 if known is None else torch.as_tensor(known).view_as(mask)
    photo = torch.zeros(1, 3, *mask.shape[-2:])
    return Batch(
        background=photo, image=photo, mask=mask, inverse_depth=depth, depth_known=known, ids=("one",)
    )


def views(logits, depth, batch) -> Views:
    shape = batch.mask.shape
    return Views(Output(torch.as_tensor(logits).view(shape), torch.as_tensor(depth).view(shape)), batch)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


PREDICTED = torch.tensor([[0.8, 0.4], [0.2, 0.5]])
TRUE = torch.tensor([[1.0, 0.0], [0.0, 0.5]])
MASK_TABLE = {
    "mask_mse": (0.04 + 0.16 + 0.04 + 0) / 4,
    "mask_rmse": math.sqrt((0.04 + 0.16 + 0.04 + 0) / 4),
    "mask_sparsity": (0.8 + 0.4 + 0.2 + 0.5) / 4,
    "mask_l1": (0.2 + 0.4 + 0.2 + 0) / 4,
    "mask_bce": -(math.log(0.8) + math.log(0.6) + math.log(0.8) + math.log(0.5)) / 4,
    "mask_bce_edge": -(math.log(0.8) + math.log(0.6) + math.log(0.8) + math.log(0.5)) / 4,  # all within 3
    "mask_dice": 1 - (2 * (0.8 + 0.25) + 1) / ((0.64 + 0.16 + 0.04 + 0.25) + (1 + 0.25) + 1),
}


@pytest.mark.parametrize("name", MASK_TABLE)
def test_mask_terms_by_hand(name):
    v = views(PREDICTED.logit(), torch.zeros(2, 2), batch_of(TRUE))
    assert LOSSES[name](v).item() == pytest.approx(MASK_TABLE[name], abs=1e-6)


DEPTH_TABLE = {  # truth 1, 3 (known) and one unknown pixel, stretched to 0 and 1; prediction .5, .7, 9
    "depth_mse": (0.25 + 0.09) / 2,
    "depth_rmse": math.sqrt((0.25 + 0.09) / 2),
    "depth_l1": (0.5 + 0.3) / 2,
    "depth_dice": 1 - (2 * 0.7 + 1) / (0.25 + 0.49 + 1 + 1),
    "depth_bce": -(math.log(0.5) + math.log(0.7)) / 2,
    "depth_log_l1": (math.log(0.5 + 0.5) + math.log(0.3 + 0.5)) / 2 - math.log(0.5),
    "depth_ssi": 0.0,
    "depth_log": 0.0,
}


@pytest.mark.parametrize("name", DEPTH_TABLE)
def test_depth_terms_by_hand(name):
    batch = batch_of([[0.0, 0, 0]], [[1.0, 3.0, 0.0]])
    v = views(torch.zeros(3), torch.tensor([0.5, 0.7, 9.0]), batch)
    assert LOSSES[name](v).item() == pytest.approx(DEPTH_TABLE[name], abs=1e-5)


# Two windows of 3×3, the second with an unknown pixel. Slopes: truth (4, 0), prediction (.5, 2.5).
SLOPED = torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0]])
SLOPED_KNOWN = torch.tensor([[True] * 4, [True] * 4, [True, True, True, False]])
SLOPED_PREDICTION = torch.tensor([[0.0, 0, 0, 3], [0, 0, 0, 5], [0.5, 0.5, 1, 7]])
SLOPE_TABLE = {
    "depth_log_sobel": math.log(3.5 + 0.5) + math.log(2.5 + 0.5) - 2 * math.log(0.5),
    "depth_normal": 1 - (4 * 0.5 + 0 * 2.5 + 1) / math.sqrt((16 + 0 + 1) * (0.25 + 6.25 + 1)),
}


@pytest.mark.parametrize("name", SLOPE_TABLE)
def test_slope_terms_by_hand(name):
    batch = batch_of(torch.zeros(3, 4), SLOPED, SLOPED_KNOWN)
    assert loss_of(name, batch.mask, SLOPED_PREDICTION.view(1, 1, 3, 4), batch).item() == pytest.approx(
        SLOPE_TABLE[name], abs=1e-6
    )


def test_depth_of_another_network_is_met_as_it_is():
    stretched = batch_of([[0.0, 0, 0]], [[1.0, 3.0, 0.0]])
    batch = dataclasses.replace(stretched, stretch=False).map(torch.clone)
    depth = torch.tensor([0.5, 0.7, 9.0]).view(1, 1, 1, 3)
    assert Views(Output(depth, depth), batch).unit_depth.flatten().tolist() == [1, 3, 0]
    assert Views(Output(depth, depth), stretched).unit_depth.flatten().tolist() == [0, 1, 0]
    assert loss_of("depth_l1", depth, depth, batch).item() == pytest.approx((0.5 + 2.3) / 2)


COSTS_ANYWAY = ("mask_sparsity", "depth_bce")  # the mask's area; the entropy of a soft truth


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in COSTS_ANYWAY])
def test_a_perfect_prediction_costs_nothing_and_has_a_finite_gradient(name):
    mask, truth = torch.eye(12), torch.rand(12, 12, generator=torch.Generator().manual_seed(0)) + 0.1
    batch = batch_of(mask, truth)
    logits = (200 * mask - 100).view(1, 1, 12, 12).requires_grad_()
    depth = views(mask, truth, batch).unit_depth.clone().requires_grad_()
    value = loss_of(name, logits, depth, batch)
    assert value.item() == pytest.approx(0, abs=2e-6)
    for gradient in torch.autograd.grad(value, (logits, depth), allow_unused=True):
        assert gradient is None or gradient.isfinite().all()


def test_edge_pixels_count_five_times():
    mask = torch.zeros(1, 20)
    mask[0, :10] = 1
    wrong_far, wrong_near = mask.clone(), mask.clone()
    wrong_far[0, 0], wrong_near[0, 9] = 0.5, 0.5
    far, near = (
        LOSSES["mask_bce_edge"](views(p.clamp(1e-6, 1 - 1e-6).logit(), torch.zeros(1, 20), batch_of(mask)))
        for p in (wrong_far, wrong_near)
    )
    assert near / far == pytest.approx(5, rel=1e-3)


def test_gradient_term_by_hand():
    """Prediction flat, truth with standardised values -2, 0, 0, 2 (median 0, mean deviation 1)."""
    batch = batch_of([[0.0] * 4], [[1.0, 3.0, 3.0, 5.0]])
    # scale 1: |2| + |0| + |2| over 4 pixels; scale 2 keeps pixels 0, 2: |2| over 2; then a single pixel.
    v = views(torch.zeros(4), torch.full((4,), 7.0), batch)
    assert LOSSES["depth_gradient"](v).item() == pytest.approx(4 / 4 + 2 / 2, abs=1e-5)


@pytest.mark.parametrize("size", [(24, 24), (5, 40), (33, 17), (1, 1)])
def test_ssim_equals_the_convolution(size):
    rng = torch.Generator().manual_seed(0)
    first, second = (torch.rand(2, 1, *size, generator=rng).requires_grad_() for _ in range(2))
    ours, plain = ssim_map(first, second), ssim_by_convolution(first, second)
    torch.testing.assert_close(ours, plain, atol=2e-5, rtol=1e-4)
    for one, other in zip(
        torch.autograd.grad(ours.mean(), (first, second)),
        torch.autograd.grad(plain.mean(), (first, second)),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=1e-3)


def test_ssim_of_equal_pictures_is_one():
    picture = torch.rand(1, 1, 30, 20, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ssim_map(picture, picture), torch.ones_like(picture))


def test_standardised_knows_near_from_far():
    depth = torch.tensor([1.0, 2.0, 3.0, 6.0]).view(1, 1, 2, 2)
    known = torch.ones_like(depth, dtype=torch.bool)
    torch.testing.assert_close(standardised(depth, known), standardised(7 * depth - 3, known))
    assert not torch.allclose(standardised(depth, known), standardised(-depth, known))


def test_least_squares_never_turns_depth_round():
    truth = torch.tensor([1.0, 2.0, 4.0]).view(1, 1, 1, 3)
    known = torch.ones_like(truth, dtype=torch.bool)
    scale, shift = least_squares(3 * truth + 1, truth, known)
    assert (scale.item(), shift.item()) == pytest.approx((1 / 3, -1 / 3), abs=1e-5)
    scale, shift = least_squares(-truth, truth, known)
    assert (scale.item(), shift.item()) == pytest.approx((0, 7 / 3))


SIZE = 40


def uniform(seed: int) -> torch.Tensor:
    """float32 (SIZE, SIZE) in [0, 1)."""
    return torch.rand(SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


HARD = {
    "empty mask": batch_of(torch.zeros(SIZE, SIZE), uniform(1) + 0.1),
    "full mask": batch_of(torch.ones(SIZE, SIZE), uniform(2) + 0.1),
    "constant depth": batch_of(torch.eye(SIZE), torch.full((SIZE, SIZE), 0.7)),
    "no depth": batch_of(torch.eye(SIZE)),
    "one known pixel": batch_of(torch.eye(SIZE), torch.eye(SIZE) * (torch.arange(SIZE) == 3)),
    "huge depth": batch_of(torch.eye(SIZE), uniform(3) * 1e6),
    "relative zero": batch_of(torch.eye(SIZE), torch.eye(SIZE), torch.ones(SIZE, SIZE, dtype=torch.bool)),
}
PREDICTIONS = {"random": normal(4), "constant": torch.zeros(SIZE, SIZE)}


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("case", HARD)
@pytest.mark.parametrize("name", LOSSES)
def test_finite_and_without_gradient_where_unknown(name, case, prediction):
    batch = HARD[case]
    logits = (50 * PREDICTIONS["random"]).view_as(batch.mask).clone().requires_grad_()
    depth = PREDICTIONS[prediction].view_as(batch.mask).clone().requires_grad_()
    value = LOSSES[name](Views(Output(logits, depth), batch))
    assert math.isfinite(value.item())
    if not value.requires_grad:
        return
    for gradient in torch.autograd.grad(value, (logits, depth), allow_unused=True):
        assert gradient is None or torch.isfinite(gradient).all()
    gradient = torch.autograd.grad(loss_of(name, logits, depth, batch), depth, allow_unused=True)[0]
    assert gradient is None or not gradient[~batch.depth_known].any()


def loss_of(name, logits, depth, batch):
    return LOSSES[name](Views(Output(logits, depth), batch))


def test_a_picture_without_depth_changes_no_depth_term():
    both = batch_of(torch.eye(SIZE), uniform(5) + 0.1)
    joined = Batch(
        **{
            name: torch.cat([getattr(both, name), getattr(HARD["no depth"], name)])
            for name in ("background", "image", "mask", "inverse_depth", "depth_known")
        },
        ids=("with", "without"),
    )
    depth = normal(6, 1, 1)
    for name in (name for name in LOSSES if name.startswith("depth")):
        alone = loss_of(name, depth, depth, both)
        torch.testing.assert_close(alone, loss_of(name, *(depth.repeat(2, 1, 1, 1),) * 2, joined))


def test_total_is_the_weighted_sum():
    batch = HARD["empty mask"]
    output = Output(normal(7, 1, 1), normal(8, 1, 1))
    terms = loss_terms(output, batch, {"mask_l1": 3.0, "depth_mse": 0.5})
    assert list(terms) == ["mask_l1", "depth_mse", "total"]
    torch.testing.assert_close(terms["total"], 3 * terms["mask_l1"] + 0.5 * terms["depth_mse"])
