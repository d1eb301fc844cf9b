"""The synthetic source lives with the training tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "train"))
