"""Foreground mask and depth from a photo of an empty scene and a photo of the same view with something in it.

    predictor = mdeas.load()
    prediction = predictor.predict(background, image)

`import mdeas` is quick: it imports neither numpy nor OpenCV, ONNX Runtime or torch before they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    import numpy as np

    from mdeas.pairing.check import Check
    from mdeas.runtime.predictor import Predictor

__version__ = "0.1.0"


def load(
    model: str | os.PathLike[str] | None = None,
    *,
    device: str = "auto",
    threads: int | None = None,
    size: int | None = None,
) -> Predictor:
    """Open a model.

    Input:
        model: an ONNX file, the name of a baseline ("zero", "difference", "mog2", "gradient",
            "gradient+mask"), "default-int8", or None for the default model of the package.
        device: "auto" (CUDA if there is one, else the CPU), "cpu", "cuda" or another key of
            mdeas.runtime.session.PROVIDERS.
        threads: number of CPU threads; None leaves the choice to ONNX Runtime.
        size: long side in pixels at which the network works; None = the model's own.
    Output: a Predictor, see mdeas.runtime.predictor.
    Errors: ModelError for a missing or damaged file and one that is no mdeas model; UsageError E-DEVICE.

    Example:
        >>> import mdeas, numpy
        >>> background = numpy.full((96, 128, 3), (90, 100, 110), numpy.uint8)
        >>> image = background.copy()
        >>> image[20:60, 70:100] = (200, 60, 40)
        >>> prediction = mdeas.load().predict(background, image)
        >>> prediction.mask.shape, prediction.depth.shape
        ((96, 128), (96, 128))
        >>> float(prediction.mask[40, 85]), float(prediction.mask[80, 20])
        (1.0, 0.0)
    """
    from mdeas.runtime import onnx_predictor

    return onnx_predictor.load(model, device=device, threads=threads, size=size)


def check(background: np.ndarray, image: np.ndarray) -> Check:
    """Tell whether two photos are a pair, and what is wrong between them: motion, light, blur.

    Input: background, image: uint8 (H, W, 3) RGB, of any two sizes.
    Output: a Check, see mdeas.pairing.check: `.verdict` "good", "fixed" (`mdeas predict` fixes it) or
        "refused", `.reason`, `.shift_px`, `.rotation_deg`, `.gain`, `.blur_px`, `.changed`.

    Example:
        >>> import mdeas, numpy
        >>> photo = numpy.random.default_rng(0).integers(0, 256, (12, 16, 3), numpy.uint8)
        >>> background = photo.repeat(20, axis=0).repeat(20, axis=1)
        >>> image = numpy.roll(background, 6, axis=1)  # the camera turned: things lie 6 pixels to the right
        >>> found = mdeas.check(background, image)
        >>> found.verdict, round(found.shift_px[0]), round(found.shift_px[1])
        ('fixed', 6, 0)
    """
    from mdeas.pairing import check as pairing_check

    return pairing_check.check(background, image)
