"""What a run begins with: parts of other runs, parts that stay as they are, another network's depth."""

import csv
import itertools
from dataclasses import replace

import pytest
import torch
from synthetic import Squares
from torch import nn

from mdeas.batches.batch import Batch
from mdeas.batches.part import Part
from mdeas.errors import ModelError, UsageError
from mdeas.models.base import PairNetwork
from mdeas.models.registry import _REGISTRY as REGISTRY
from mdeas.models.registry import create_model, register
from mdeas.train.checkpoint import load_run, save_weights
from mdeas.train.guards import make_fabric
from mdeas.train.learner import Learner
from mdeas.train.loop import fit


class Nested(nn.Module):
    """Two tiny cores: `first` gives the mask, `second` the depth."""

    def __init__(self):
        super().__init__()
        self.first, self.second = (create_model("tiny-for-tests").core for _ in range(2))

    def forward(self, background, image):
        return self.first(background, image)[0], self.second(background, image)[1]


@pytest.fixture(autouse=True)
def nested_model(tiny_model):
    register("nested-for-tests", reference="tests", parameters=948)(lambda: PairNetwork(Nested(), multiple=2))
    yield
    del REGISTRY["nested-for-tests"]


@pytest.fixture
def tiny_run(tmp_path):
    """Folder of a run of the tiny network with other weights than the recipe's seed gives."""
    torch.manual_seed(123)
    model = create_model("tiny-for-tests")
    save_weights(tmp_path, "last", model.state_dict(), {"model": "tiny-for-tests", "options": {}})
    return tmp_path


def learner(recipe):
    return Learner(recipe, make_fabric(recipe, "cpu"))


def batch():
    photos = torch.rand(2, 2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    plain = torch.zeros(2, 1, 8, 8)
    return Batch(
        background=photos[0], image=photos[1], mask=plain, inverse_depth=plain + 7, depth_known=plain > 1,
        ids=("a", "b"),
    )  # fmt: skip


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


class TestParts:
    def test_the_core_of_a_run_fills_a_part(self, recipe_of, tiny_run):
        core = load_run(tiny_run).core.state_dict()
        made = learner(recipe_of("model.name=nested-for-tests", f"model.parts={{core.second: {tiny_run}}}"))
        assert same(core, made.plain.core.second.state_dict())
        assert same(core, made.average.core.second.state_dict())
        assert not same(core, made.plain.core.first.state_dict())

    def test_the_part_of_that_name_goes_before_the_core(self, recipe_of, tiny_run):
        made = learner(recipe_of(f"model.parts={{core.layers: {tiny_run}}}"))
        assert same(load_run(tiny_run).core.layers.state_dict(), made.plain.core.layers.state_dict())

    def test_what_does_not_fit_is_refused(self, recipe_of, tiny_run):
        with pytest.raises(ModelError, match=r"does not fit model\.parts\.core\.first\.layers\.0"):
            learner(
                recipe_of("model.name=nested-for-tests", f"model.parts={{core.first.layers.0: {tiny_run}}}")
            )
        with pytest.raises(
            UsageError, match=r"no part 'core\.third'\. Parts: core, core\.first, core\.second"
        ):
            learner(recipe_of("model.name=nested-for-tests", f"model.parts={{core.third: {tiny_run}}}"))


class TestFreeze:
    FROZEN = (
        "model.name=nested-for-tests",
        "model.freeze=[core.second]",
        "optimizer.weight_decay=0.1",
        "ema=0",
    )

    def test_a_frozen_part_stays_bit_for_bit(self, recipe_of, tmp_path):
        recipe = recipe_of(*self.FROZEN, "steps=3")
        before = learner(recipe).plain.core.state_dict()
        fit(recipe, [Squares(8)], [Squares(4, seed=1)], tmp_path / "run", device="cpu")
        after = load_run(tmp_path / "run").core
        moved = {name for name, value in after.state_dict().items() if not torch.equal(value, before[name])}
        assert all(name.startswith("first.") for name in moved)
        assert {"first.layers.0.weight", "first.layers.1.running_mean"} <= moved

    def test_it_stays_in_eval_mode_and_has_no_optimizer_state(self, recipe_of):
        made = learner(recipe_of(*self.FROZEN))
        made.step(batch(), 0.1, 1)
        core = made.plain.core
        assert core.first.training and not any(module.training for module in core.second.modules())
        assert len(made.optimizer.state) == len(list(core.first.parameters()))
        assert all(parameter.grad is None for parameter in core.second.parameters())

    def test_gradients_pass_through_it(self, recipe_of):
        made = learner(recipe_of("model.freeze=[core.layers.1, core.layers.4]", "ema=0"))
        before = made.plain.core.layers[0].weight.clone()
        made.step(batch(), 0.1, 1)
        assert not torch.equal(before, made.plain.core.layers[0].weight)

    def test_nothing_left_to_learn_is_refused(self, recipe_of):
        with pytest.raises(UsageError, match="nothing that learns"):
            learner(recipe_of("model.freeze=[core]"))


def test_a_slow_part_moves_at_its_share_of_the_rate(recipe_of):
    made = learner(
        recipe_of("optimizer.name=adam", "optimizer.weight_decay=0", "optimizer.slow={core.layers.0: 0.25}")
    )
    layers = made.plain.core.layers
    before = [layers[index].weight.clone() for index in (0, 1)]
    made.step(batch(), 0.1, 1)  # Adam's first step is the rate, whatever the gradient
    moved = [(layers[index].weight - old).abs().max().item() for index, old in enumerate(before)]
    assert moved == pytest.approx([0.025, 0.1], rel=1e-2)
    with pytest.raises(UsageError, match=r"no part 'core\.x'"):
        learner(recipe_of("optimizer.slow={core.x: 0.5}"))


def test_a_resume_state_from_before_there_were_shares_goes_on(recipe_of):
    made = learner(recipe_of())
    state = made.optimizer.state_dict()
    for group in state["param_groups"]:
        del group["share"]
    made.optimizer.load_state_dict(state)
    made.step(batch(), 0.1, 1)
    assert [group["lr"] for group in made.optimizer.param_groups] == [0.1, 0.1]


class TestTeacher:
    def test_its_depth_is_the_truth_everywhere(self, recipe_of, tiny_run):
        one = batch()
        taught = learner(recipe_of(f"teacher={tiny_run}")).with_teacher(one)
        assert torch.equal(taught.inverse_depth, load_run(tiny_run)(one.background, one.image).depth)
        assert taught.depth_known.all() and not taught.stretch and not taught.inverse_depth.requires_grad
        assert taught.mask is one.mask and learner(recipe_of()).with_teacher(one) is one

    def test_a_run_learns_it(self, recipe_of, tiny_run, tmp_path):
        fields = (f"teacher={tiny_run}", "loss={depth_l1: 1}", "steps=25", "data.augment.mirror=0")
        fit(recipe_of(*fields), [Squares(8)], [Squares(8)], tmp_path / "run", device="cpu")
        with open(tmp_path / "run" / "log.csv", newline="") as file:
            losses = [float(row["total"]) for row in csv.DictReader(file) if row["kind"] == "validation"]
        assert losses[-1] < losses[0] / 2


class TestClip:
    @pytest.mark.parametrize(
        ("field", "largest"), [("grad_clip_value=0.001", 0.001), ("grad_clip=0.002", 0.002)]
    )
    def test_by_value_and_by_norm(self, field, largest, recipe_of):
        made = learner(recipe_of("grad_clip=0", field))
        norm = made.step(batch(), 0.1, 1)["grad_norm"]
        gradients = torch.cat([parameter.grad.flatten() for parameter in made.plain.parameters()])
        size = gradients.abs().max() if "value" in field else gradients.norm()
        assert size.item() == pytest.approx(largest, rel=1e-3) and norm > 0.01


class TestShare:
    def test_parts_share_no_row_and_leave_none_out(self):
        bounds = [0, 0.2, 0.4, 0.6, 0.8, 1]
        rows = [list(Part(Squares(13), share).rows) for share in itertools.pairwise(bounds)]
        assert list(itertools.chain(*rows)) == list(range(13))

    def test_only_those_rows_are_shown(self, recipe_of, tmp_path):
        seen = []

        def note(index, sample):
            seen.append(index)
            return replace(sample)

        fit(
            recipe_of("data.share=[0.5, 1]", "steps=4"), [Squares(8, change=note)], [], tmp_path, device="cpu"
        )
        assert set(seen) == {4, 5, 6, 7}
