"""Build the documentation site: `python docs/tools/build.py`, offline, into build/site.

Committed pages and pictures are copied to build/docs, generated pages are written beside them, then Zensical
renders all of them and refuses a broken link.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import error_codes
import notebooks
import reference

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "docs"


def main() -> int:
    """Write build/docs, render it; return the exit code of Zensical."""
    collect(OUT)
    for notebook in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        notebooks.render(notebook, OUT / "notebooks" / notebook.stem)
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"], cwd=ROOT, check=False
    ).returncode


def collect(out: Path) -> None:
    """Fill `out` with all pages but the notebooks; what was there before is removed."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(ROOT / "docs", out, ignore=shutil.ignore_patterns("tools", "*.ipynb", "__pycache__"))
    pages = {
        "reference/commands.md": reference.commands(),
        "reference/python.md": reference.python(),
        "reference/layout.md": reference.layout(),
        "reference/error-codes.md": error_codes.page(),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(),
        "model-card.md": (ROOT / "src" / "mdeas" / "weights" / "CARD.md").read_text(),
    }
    for name, text in pages.items():
        path = out / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
