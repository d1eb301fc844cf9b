"""A training step of the mdeas network: ours against the published one. Goal: 2x, at the same loss."""

import torch
from _published import loss as published_loss
from _timing import compare, report

from mdeas.batches.batch import Batch
from mdeas.models.registry import create_model
from mdeas.train.losses.table import loss_terms
from mdeas.train.recipe.load import load_recipe

BATCH, SIZE = 8, 224


def make_batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    photos = torch.rand(2, BATCH, 3, SIZE, SIZE, generator=generator)
    mask, depth = torch.rand(2, BATCH, 1, SIZE, SIZE, generator=generator)
    low, high = depth.amin((1, 2, 3), keepdim=True), depth.amax((1, 2, 3), keepdim=True)
    return Batch(
        background=photos[0],
        image=photos[1],
        mask=mask.round(),
        inverse_depth=(depth - low) / (high - low),  # the published loss expects [0, 1]
        depth_known=torch.ones_like(depth, dtype=torch.bool),
        ids=[str(number) for number in range(BATCH)],
    )


def published(batch: Batch):
    """A step as published: contiguous tensors, SSIM of convolutions."""
    torch.manual_seed(0)
    network = create_model("mdeas")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.5, 0.999))

    def step() -> float:
        output = network(batch.background, batch.image)
        loss = published_loss(output.mask_logits.sigmoid(), output.depth, batch.mask, batch.inverse_depth)
        return advance(loss, optimizer)

    return step


def ours(batch: Batch):
    """A step as `mdeas train mdeas` makes it."""
    recipe = load_recipe("mdeas")
    torch.manual_seed(0)
    network = create_model("mdeas").to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.5, 0.999))
    background, image = (
        photo.contiguous(memory_format=torch.channels_last) for photo in (batch.background, batch.image)
    )

    def step() -> float:
        return advance(loss_terms(network(background, image), batch, recipe.loss)["total"], optimizer)

    return step


def advance(loss: torch.Tensor, optimizer: torch.optim.Optimizer) -> float:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def main() -> None:
    batch = make_batch()
    with torch.no_grad():
        output = create_model("mdeas")(batch.background, batch.image)
        rival = published_loss(output.mask_logits.sigmoid(), output.depth, batch.mask, batch.inverse_depth)
        gap = abs(loss_terms(output, batch, load_recipe("mdeas").loss)["total"] - rival).item()
    print(f"mdeas loss: differs by {gap:.1e} from the published one (goal 1e-5)")
    times = compare(ours(batch), published(batch), rounds=5)
    report(f"mdeas training step, {BATCH} pairs of {SIZE}x{SIZE}", *times, "the published step", 2)


if __name__ == "__main__":
    main()
