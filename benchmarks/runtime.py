"""The default model against the published mdeas network, both in ONNX Runtime at 224x224. Goal: 8x."""

import tempfile
from pathlib import Path

import numpy as np
from _timing import compare, report

import mdeas
from mdeas.export.export import export_network
from mdeas.models.registry import create_model
from mdeas.runtime.spec import Spec

SIZE = 224


def published(folder: Path):
    """The mdeas network with fresh weights: speed does not depend on them."""
    file = folder / "mdeas.onnx"
    network = create_model("mdeas")
    export_network(network, Spec(size=SIZE, multiple=network.multiple, name="mdeas"), file)
    return mdeas.load(str(file))


def main() -> None:
    rng = np.random.default_rng(0)
    background, image = rng.random((2, 1, 3, SIZE, SIZE), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        ours, rival = mdeas.load(), published(Path(folder))
        runs = [lambda network=network: network.run(background, image) for network in (ours, rival)]
        for calls, said in ((1, "called in turn"), (10, "ten pairs in a row")):
            times = compare(*runs, rounds=30, calls=calls)
            report(f"default model at {SIZE}x{SIZE}, {said}", *times, "the mdeas network", 8)


if __name__ == "__main__":
    main()
