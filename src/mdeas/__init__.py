"""Foreground mask and depth from a photo of an empty scene and a photo of the same view with something in it.

    predictor = mdeas.load()
    prediction = predictor.predict(background, image)

Importing mdeas imports nothing heavy: ONNX Runtime and OpenCV wait for `load`, torch for training.
"""

__version__ = "0.1.0"


def load(
    model: str | None = None, *, device: str = "auto", threads: int | None = None, size: int | None = None
):
    """Return the Predictor of `model`.

    Input:
        model: an ONNX file, the name of a baseline, or None for the model inside the package.
        device: "cpu", "cuda" or another name of
            mdeas.runtime.session.PROVIDERS; "auto" takes CUDA when there is one.
        threads: number of CPU threads; None leaves the choice to ONNX Runtime.
        size: long side in pixels at which the network works; None = what the model says.
    Output: a Predictor; `predict(background, image)` takes two uint8 (H, W, 3) RGB photos and returns
        `.mask` float32 (H, W) in [0, 1] and `.depth` float32 (H, W), inverse depth, larger = nearer.
    Errors: ModelError when the file is missing, damaged or not an mdeas model.
    """
    from mdeas.runtime import onnx_predictor

    return onnx_predictor.load(model, device=device, threads=threads, size=size)


def check(background, image):
    """Tell whether two photos are a pair, and what is wrong between them: shift, light, blur, what changed.

    Input: background, image: uint8 (H, W, 3) RGB.
    Output: mdeas.pairing.check.Check: `.verdict` "good", "fixed" (by `mdeas predict`) or "refused";
        `.reason`, `.shift_px`, `.rotation_deg`, `.gain`, `.blur_px`, `.changed`.
    """
    from mdeas.pairing import check as pairing

    return pairing.check(background, image)
