"""What a user's type checker sees of the package."""

import os
import subprocess
import sys
from pathlib import Path

import mdeas

SCRIPT = """
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import mdeas
from mdeas.pairing import Check
from mdeas.runtime import Prediction, Predictor

photo = np.zeros((48, 64, 3), np.uint8)
predictor = mdeas.load("default", threads=1)
prediction = predictor.predict(photo, photo)
assert_type(predictor, Predictor)
assert_type(prediction, Prediction)
assert_type(prediction.mask, NDArray[np.float32])
assert_type(mdeas.check(photo, photo), Check)
assert_type(mdeas.check(photo, photo).shift_px, tuple[float, float] | None)
prediction.masks  # type: ignore[attr-defined]
mdeas.load(thread=1)  # type: ignore[call-arg]
reveal_type(predictor)
"""


def test_a_strict_script_sees_types_and_not_any(tmp_path):
    """mypy takes what is on PYTHONPATH for installed packages, which it reads only where py.typed lies.

    Where a value is Any, `assert_type` is an error, and so is a `type: ignore` that ignores nothing.
    """
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", "script.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(mdeas.__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Revealed type is "mdeas.runtime.predictor.Predictor"' in done.stdout
