"""A network of a few weights, and a recipe that trains it in a second."""

import torch
from torch import nn

RECIPE = """
model: {name: tiny-for-tests}
loss: {mask_bce: 1, depth_ssi: 0.5}
data: {size: 32, batch_size: 4, workers: 0}
optimizer: {lr: 0.01}
schedule: {name: cosine, warmup_steps: 3}
ema: 0.9
grad_clip: 1.0
threads: 1
steps: 12
validate_every: 5
save_every: 4
"""


class Tiny(nn.Module):
    """Two 3×3 convolutions on the concatenated photos, with batch norm and dropout between."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout2d(0.1), nn.Conv2d(8, 2, 1)
        )

    def forward(self, background, image):
        return self.layers(torch.cat([background, image], 1)).split(1, 1)
