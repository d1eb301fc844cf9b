"""Is this a pair? Sizes are checked before predicting; photos that cannot tell anything are named."""

import cv2
import numpy as np

from mdeas.errors import InputError

_ASPECT_TOLERANCE = 0.01
# A photo whose grey levels all lie within this many of 255 of each other shows nothing.
_FLAT = 4


def check_sizes(background: np.ndarray, image: np.ndarray) -> None:
    """InputError (E-PAIR-SIZE) unless both photos, uint8 (H, W, 3), have one size."""
    if background.shape != image.shape:
        raise InputError(
            "E-PAIR-SIZE", f"{_sizes(background, image)}. Both must be the same view at the same size."
        )


def match_background(background: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Bring the background to the image's size when only the resolution differs.

    Input: uint8 (H, W, 3) RGB each.
    Output: the background, uint8 of the image's size, and warnings (W-PAIR-RESIZED when it was resized).
    Errors: InputError (E-PAIR-SIZE) when the aspects differ by more than 1 %.
    """
    if background.shape == image.shape:
        return background, []
    (bh, bw), (h, w) = background.shape[:2], image.shape[:2]
    if abs((bw / bh) / (w / h) - 1) > _ASPECT_TOLERANCE:
        raise InputError(
            "E-PAIR-SIZE",
            f"{_sizes(background, image)}: another aspect. Both must be the same view, uncropped.",
        )
    way = cv2.INTER_AREA if bh > h else cv2.INTER_CUBIC
    resized = cv2.resize(background, (w, h), interpolation=way)
    return resized, [f"W-PAIR-RESIZED: {_sizes(background, image)}; the background was resized"]


def warnings(background: np.ndarray, image: np.ndarray) -> list[str]:
    """What makes a pair useless, as lines "W-CODE: text"; empty for a pair with nothing wrong.

    Input: uint8 (H, W, 3) RGB of one size.
    """
    found = [
        f"W-PAIR-{_kind(photo)}: the {name} is one flat colour, so the result means nothing"
        for name, photo in (("background", background), ("image", image))
        if _kind(photo)
    ]
    if np.array_equal(background, image):
        found.append("W-PAIR-IDENTICAL: both photos are the same file or frame, so the mask should be empty")
    return found


def _kind(photo: np.ndarray) -> str:
    """BLACK, WHITE or FLAT when the photo shows nothing, else ""."""
    low, high = int(photo.min()), int(photo.max())
    if high <= _FLAT:
        return "BLACK"
    if low >= 255 - _FLAT:
        return "WHITE"
    return "FLAT" if int(np.ptp(photo, axis=(0, 1)).max()) <= _FLAT else ""


def _sizes(background: np.ndarray, image: np.ndarray) -> str:
    (bh, bw), (h, w) = background.shape[:2], image.shape[:2]
    return f"the background is {bw}×{bh} and the image {w}×{h}"
