"""Holds the layout: imports go to the same floor or down, torch stays upstairs, everything stays small."""

import ast
import functools
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "mdeas"
FILES = sorted(PACKAGE.rglob("*.py"))

# A new top-level module or folder gets its floor here; a file in a folder has the folder's.
FLOORS = {
    name: floor
    for floor, names in enumerate(
        (
            "camera closer container errors failures fields figures files foreground headers images insert"
            " inverse_depth kept machine metrics metrics_depth metrics_mask moments names near"
            " onnxfile pointfile sample session sheets signals spec stages tags torchvision_import",
            "baselines calibration cloud dataset empty_scene frames layers objects pair pairing photo"
            " places predictor refine rows runtime videofile",
            "create data models",
            "train",
            "benchmark calibrate compare compose evaluate export exported extras grid metres named_sizes"
            " outputs predict quantize report robustness show video",
            "__init__ __main__ arguments choices cli commands_data commands_depth commands_layers"
            " commands_models commands_pair commands_predict commands_run",
        )
    )
    for name in names.split()
}
STRANGERS = ("create", "data", "models")
NO_TORCH = {name for name, floor in FLOORS.items() if floor < 2} | {
    "__init__", "__main__", "arguments", "benchmark", "calibrate", "choices", "cli", "commands_data",
    "commands_depth", "commands_layers", "commands_models", "commands_pair", "commands_predict",
    "commands_run", "compose", "evaluate", "exported", "extras", "grid", "metres", "outputs", "predict",
    "quantize", "report", "robustness", "show", "video",
}  # fmt: skip
TORCH = ("torch", "lightning_fabric", "torchvision", "timm", "kornia")
# Who may decode or encode pictures; a nuisance passes a photo through JPEG in memory.
PICTURES = {"images.py": "imread imwrite imdecode imencode", "create/nuisance.py": "imdecode imencode"}
MAX_FILE_LINES = 300


def room(path: Path) -> str:
    """The first part of a file's place in the package: 'cli', 'create', ..."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> set[str]:
    """Every dotted name that a file imports anywhere, functions included."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the floor"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_used(path: Path) -> set[str]:
    """The rooms of mdeas that a file imports from; `from mdeas import __version__` is no room."""
    parts = [name.split(".") for name in imports(path) if name.startswith("mdeas.")]
    return {part[1] for part in parts if part[1] in FLOORS or (PACKAGE / f"{part[1]}.py").exists()}


def functions(path: Path) -> list[tuple[str, int]]:
    """(name, lines without the docstring) of every function."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            last = node.end_lineno if body else node.lineno
            found.append((f"{path.name}:{node.name}", last - (body or [node])[0].lineno + 2))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
class TestFile:
    def test_has_a_floor(self, path):
        assert room(path) in FLOORS, (
            f"give {room(path)!r} a floor in tests/test_layout.py (see CONTRIBUTING.md)"
        )

    def test_imports_the_same_floor_or_down(self, path):
        up = {name for name in rooms_used(path) if FLOORS[name] > FLOORS[room(path)]}
        assert not up, f"floor {FLOORS[room(path)]} imports {up}"

    def test_create_data_and_models_are_strangers(self, path):
        if room(path) in STRANGERS:
            assert not rooms_used(path) & (set(STRANGERS) - {room(path)})

    def test_torch_stays_upstairs(self, path):
        if room(path) in NO_TORCH:
            assert not {name for name in imports(path) if name.split(".")[0] in TORCH}

    def test_is_short_and_says_what_it_is(self, path):
        text = path.read_text()
        assert len(text.splitlines()) <= MAX_FILE_LINES
        assert not text.strip() or ast.get_docstring(tree(path)), "begin with a docstring"

    def test_leaves_pictures_to_images(self, path):
        allowed = PICTURES.get(str(path.relative_to(PACKAGE)), "").split()
        used = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        assert not (used & {"imread", "imwrite", "imdecode", "imencode"}) - set(allowed)
        assert not {name for name in imports(path) if name.split(".")[0] == "PIL"}


def test_functions_are_tiny():
    lengths = [length for path in FILES for _, length in functions(path)]
    long = [entry for path in FILES for entry in functions(path) if entry[1] >= 40]
    assert statistics.median(lengths) <= 10
    assert len(long) <= 0.05 * len(lengths), long


def test_nothing_below_training_pulls_in_torch():
    modules = [f"mdeas.{name}" for name in sorted(NO_TORCH) if (PACKAGE / f"{name}.py").exists()]
    modules = [name for name in modules if "__" not in name]
    code = f"import sys, {', '.join(modules)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
