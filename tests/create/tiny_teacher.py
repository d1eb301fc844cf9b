"""A DepthAnything of random weights and a few thousand parameters; small folders of photos and cut-outs."""

from pathlib import Path

import cv2
import numpy as np

from mdeas.cli import main
from mdeas.images.codec import write_png
from mdeas.system.optional import import_torchvision

NUM_PHOTOS, NUM_CUTOUTS = 3, 2
COUNT, SIZE = 5, 32


def save_network(folder: Path, kind: str = "relative", licence: str = "apache-2.0") -> Path:
    """Write the network as `save_pretrained` does, with a README.md; its input has 28 pixels."""
    import_torchvision()
    import torch
    import transformers as t

    backbone = t.Dinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=28,
        patch_size=14,
        out_features=["stage1", "stage2"],
        reshape_hidden_states=False,
    )
    config = t.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        patch_size=14,
        reassemble_factors=[2, 1],
        neck_hidden_sizes=[8, 8],
        fusion_hidden_size=8,
        head_hidden_size=8,
        depth_estimation_type=kind,
        max_depth=20 if kind == "metric" else 1,
    )
    torch.manual_seed(0)
    network = t.DepthAnythingForDepthEstimation(config)
    for parameter in network.parameters():  # larger than a network begins with, so that pictures differ
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    torch.nn.init.constant_(network.head.conv3.bias, 1 if kind == "relative" else 0)  # else many predict 0
    network.save_pretrained(folder)
    t.DPTImageProcessor(size={"height": 28, "width": 28}, ensure_multiple_of=14).save_pretrained(folder)
    (folder / "README.md").write_text(f"---\nlicense: {licence}\n---\n# A card\n")
    return folder


def save_pictures(folder: Path) -> dict[str, Path]:
    """NUM_PHOTOS photos and NUM_CUTOUTS cut-outs, by the recipe's names."""
    rng = np.random.default_rng(0)
    for k in range(NUM_PHOTOS):
        small = rng.integers(0, 255, (4, 5, 3)).astype(np.uint8)
        picture = cv2.resize(small, (50 + k, 40), interpolation=cv2.INTER_CUBIC)
        write_png(folder / "bg" / f"{k}.png", picture)
    for k in range(NUM_CUTOUTS):
        rgba = np.zeros((24, 20, 4), np.uint8)
        cv2.ellipse(rgba, (10, 12), (6 + k, 9), 0, 0, 360, (200, 90 * k, 40, 255), -1)
        write_png(folder / "fg" / f"{k}.png", rgba)
    return {"backgrounds": folder / "bg", "foregrounds": folder / "fg"}


def create(pictures: dict[str, Path], out: Path, *more: str) -> int:
    """Exit code of `mdeas create photos` with COUNT samples of SIZE pixels."""
    arguments = [
        *(f"--{name}={path}" for name, path in pictures.items()),
        f"--out={out}",
        "--set",
        "split=rows",
    ]
    return main(["create", "photos", *arguments, f"--count={COUNT}", f"--size={SIZE}", *more])
