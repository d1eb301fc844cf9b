"""Pages made from the program itself: commands, Python modules, layout."""

import ast
import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import mdeas
from mdeas.cli import COMMANDS, main

PACKAGE = Path(mdeas.__file__).parent

# What the Python page shows in full; everything else has its line on the layout page.
DOORS = {
    "Predict": ["mdeas", "mdeas.runtime.predictor", "mdeas.runtime.onnx_predictor", "mdeas.pairing.check"],
    "Pictures": ["mdeas.images.codec", "mdeas.images.video", "mdeas.subject.objects"],
    "Data sets": ["mdeas.sample", "mdeas.dataset.dataset", "mdeas.dataset.rows"],
    "Metrics": ["mdeas.metrics.mask", "mdeas.metrics.depth"],
    "Networks and training": [
        "mdeas.models.base",
        "mdeas.models.registry",
        "mdeas.train.recipe.recipe",
        "mdeas.train.recipe.sections",
        "mdeas.train.losses.mask",
        "mdeas.train.losses.depth",
    ],
    "Errors": ["mdeas.errors"],
}


def commands() -> str:
    """The help of every command, in the order in which `mdeas --help` lists them."""
    parts = ["# Command reference\n", "Every command as its `--help` prints it.\n"]
    parts.append(_block([]))
    for words in _commands(COMMANDS):
        parts += [f"## mdeas {' '.join(words)}\n", _block(words)]
    return "\n".join(parts)


def _commands(level: Mapping[str, object]) -> Iterator[list[str]]:
    for name, target in level.items():
        if isinstance(target, Mapping):
            yield from ([name, *rest] for rest in _commands(target))
        else:
            yield [name]


def _block(words: list[str]) -> str:
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with patch.dict(os.environ, COLUMNS="84", NO_COLOR="1"), contextlib.redirect_stdout(printed):
        assert main([*words, "--help"]) == 0, words
    printed.flush()
    assert isinstance(printed.buffer, io.BytesIO)
    return f"```text\n{printed.buffer.getvalue().decode().rstrip()}\n```\n"


def python() -> str:
    """The page that mdeas' public modules are rendered into by mkdocstrings."""
    lines = ["# Python reference\n", "Everything people call from their own programs. " + _VOCABULARY]
    for title, modules in DOORS.items():
        lines.append(f"\n## {title}\n")
        lines += [f"::: {name}\n" for name in modules]
    return "\n".join(lines)


def layout() -> str:
    """A table of files for each folder: the first paragraph of each docstring, and its number of lines."""
    lines = ["# Layout\n", _LAYOUT]
    folders = sorted({path.parent for path in PACKAGE.rglob("*.py")})
    for folder in folders:
        name = folder.relative_to(PACKAGE.parent).as_posix()
        lines += [
            f"## {name}/\n",
            _first(folder / "__init__.py") + "\n",
            "| file | what | lines |",
            "|---|---|---:|",
        ]
        for path in sorted(folder.glob("*.py")):
            if path.name != "__init__.py":
                count = len(path.read_text().splitlines())
                lines.append(f"| `{path.name}` | {_first(path)} | {count} |")
        lines.append("")
    return "\n".join(lines)


def _first(path: Path) -> str:
    """The first paragraph of a file's docstring, on one line."""
    text = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0]
    return " ".join(text.split()).replace("|", "\\|")


_VOCABULARY = """\
`background`, `image`, `mask` and `depth` mean the same
everywhere: photos are uint8 (H, W, 3) RGB, masks float32 (H, W) in [0, 1], depth float32 (H, W).
Inverse depth is larger where things are nearer. Every error that is not a bug is an `MdeasError`
with a [code](error-codes.md).
"""
_LAYOUT = """\
Every file below `src/mdeas`, with the first paragraph of its docstring. Imports go to the same floor or down,
never up; `tests/test_layout.py` lists the floors and holds them. `tests/` mirrors the folders.
"""
