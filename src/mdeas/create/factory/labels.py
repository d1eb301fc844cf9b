"""`teacher: composite`: a network predicts depth for every finished composite, as in the published systems.

Workers make samples without depth. The process that writes the shards, or one with a GPU (ray_engine.py),
labels one complete shard at a time, ordered by index. So the batches are the same after any interruption, and
shards on disk are not labelled again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from mdeas.create.depth.model import DepthModel, find_model, versions
from mdeas.create.factory.plan import Shard
from mdeas.create.factory.shards import RowOrError
from mdeas.create.maker import Maker
from mdeas.create.photos.base_maker import CompositeMaker
from mdeas.dataset.rows import PICTURES, decode_row, encode_row
from mdeas.errors import InputError


class LabelledMaker:
    """A maker of composites, and the network that labels them. Pickling it does not load the network."""

    def __init__(self, maker: CompositeMaker, model: DepthModel, environment: dict[str, Any]):
        """Input: maker: its samples have no depth; environment: as from `local_environment`."""
        self.maker, self.model, self.environment = maker, model, environment
        self.count, self.seed, self.left_out = maker.count, maker.seed, maker.left_out
        self.make, self.split_of, self.warnings = maker.make, maker.split_of, maker.warnings

    def describe(self) -> dict[str, Any]:
        """Describe the maker and the network, with the device and versions that decide its last bits."""
        return self.maker.describe() | {"depth_model": self.model.describe() | self.environment}

    def provenance(self) -> list[dict[str, Any]]:
        """List the maker's rows and the network's row."""
        return [*self.maker.provenance(), self.model.provenance()]

    def label(self, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Add depth to the rows (rows.encode_row) of one shard, in order; their pictures keep their bytes.

        All pictures must have one size. Rows come out after every batch, so that the caller can stop between.
        """
        from mdeas.create.depth.teacher import load_network

        network = load_network(self.model)
        for at in range(0, len(rows), network.batch_size):
            samples = [decode_row(row) for row in rows[at : at + network.batch_size]]
            # The last batch is filled up, because the batch size changes the last bits of a prediction.
            filled = samples + samples[-1:] * (network.batch_size - len(samples))
            depths = network.predict(np.stack([sample.image for sample in filled]))
            for row, sample, depth in zip(rows[at:], samples, depths, strict=False):
                pictures = {name: row[name]["bytes"] for name in PICTURES if row[name]}
                facts: dict[str, Any] = {"depth_kind": self.model.kind, "encoded": pictures}
                facts["meta"] = {**sample.meta, "depth_source": "composite"}
                yield encode_row(dataclasses.replace(sample, depth=depth, **facts))


def local_environment() -> dict[str, Any]:
    """Return the device and the versions with which networks run in this process."""
    from mdeas.create.depth.teacher import device

    return {"device": device(), "versions": versions()}


def with_teacher(maker: CompositeMaker, environment: Callable[[], dict[str, Any]]) -> Maker:
    """Turn a maker of composites into a LabelledMaker if its recipe says `teacher: composite`.

    Input: environment: `local_environment`, or the same function of the machine that will label.
    Errors: those of `model.find_model`.
    """
    if maker.recipe.teacher != "composite":
        return maker
    return LabelledMaker(maker, find_model(maker.recipe.depth_model), environment())


def labelled(
    maker: Maker, complete: Iterable[tuple[Shard, dict[int, RowOrError]]], tick: Callable[[], None]
) -> Iterator[tuple[Shard, dict[int, RowOrError]]]:
    """Yield (shard, its samples), labelled in this process if the maker is a LabelledMaker."""
    for shard, made in complete:
        yield shard, label_shard(maker, made, tick)


def label_shard(maker: Maker, made: dict[int, RowOrError], tick: Callable[[], None]) -> dict[int, RowOrError]:
    """Label the samples of one shard, by index, if the maker is a LabelledMaker; call `tick` after each."""
    if not isinstance(maker, LabelledMaker):
        return made
    rows = {index: row for index, row in sorted(made.items()) if not isinstance(row, InputError)}
    for index, row in zip(rows, maker.label(list(rows.values())), strict=True):
        tick()
        rows[index] = row
    return made | rows
