"""Hold the layout: imports go down, none go in circles, torch stays upstairs, everything stays small."""

import ast
import functools
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "mdeas"
FILES = sorted(PACKAGE.rglob("*.py"))

# From the ground up. A new folder or top-level file gets its floor here; a file in a folder has the folder's.
FLOORS = (
    "errors depth_fit",
    "sample system",
    "images metrics models batches",
    "pairing dataset runtime",
    "subject train",
    "camera export",
    "predict create evaluate",
    "commands __init__",
    "cli",
    "__main__",
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}
STRANGERS = ("create", "batches", "models")
# What works without torch, by the beginning of its place; everything else may import it inside a function.
NO_TORCH = (
    *(
        "__init__",
        "__main__",
        "camera/",
        "cli",
        "commands/",
        "dataset/",
        "depth_fit",
        "errors",
        "evaluate/evaluate",
    ),
    *(
        "evaluate/grid",
        "evaluate/open_model",
        "evaluate/report",
        "evaluate/robustness/",
        "export/quantize",
        "images/",
        "metrics/",
    ),
    *("pairing/", "predict/", "runtime/", "sample", "subject/", "system/"),
)
TORCH = ("torch", "lightning_fabric", "torchvision", "timm", "kornia")
# Who may decode or encode pictures; a camera's fault passes a photo through JPEG in memory.
PICTURES = {
    "images/codec.py": "imread imwrite imdecode imencode",
    "images/camera_faults.py": "imdecode imencode",
}
MAX_FILE_LINES = 300
MAX_FACE_LINES = 40


def place(path: Path) -> str:
    """A file's place in the package: 'images/codec.py'."""
    return path.relative_to(PACKAGE).as_posix()


def folder(path: Path) -> str:
    """The first part of a file's place: 'images', 'cli', ..."""
    return place(path).split("/")[0].removesuffix(".py")


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


@functools.cache
def imports(path: Path) -> frozenset[str]:
    """Every dotted name that a file imports anywhere, functions included; relative ones keep their dots."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names - {"mdeas.__version__"})


def file_of(name: str) -> Path | None:
    """The file that `import name`, or `from name's parent import name`, reads; None for other packages."""
    parts = name.split(".")
    while parts and parts[0] == "mdeas":
        base = PACKAGE.joinpath(*parts[1:])
        for found in (base.with_suffix(".py"), base / "__init__.py"):
            if found.is_file():
                return found
        parts.pop()
    return None


@functools.cache
def used(path: Path) -> frozenset[Path]:
    """The files of mdeas that a file imports from."""
    return frozenset(found for name in imports(path) if (found := file_of(name)) and found != path)


def circles(group: Callable[[Path], str]) -> list[str]:
    """Groups of files that import each other, straight or through others, at any depth."""
    arrows = defaultdict(set)
    for path in FILES:
        arrows[group(path)] |= {group(other) for other in used(path)} - {group(path)}
    return [name for name in sorted(arrows) if name in reached(arrows, arrows[name])]


def reached(arrows: dict[str, set[str]], first: Iterable[str]) -> set[str]:
    """What can be reached along `arrows` from `first`, itself included."""
    found, waiting = set(), list(first)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += arrows[name]
    return found


def function_lengths() -> dict[str, int]:
    """Lines of every function without its docstring."""
    found = {}
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                last = node.end_lineno if body else node.lineno
                found[f"{place(path)}:{node.name}:{node.lineno}"] = last - (body or [node])[0].lineno + 2
    return found


def test_imports_go_to_the_same_floor_or_down():
    homeless = {folder(path) for path in FILES} - FLOOR.keys()
    assert not homeless, "give it a floor in tests/test_layout.py (see CONTRIBUTING.md)"
    relative = [f"{place(path)}: {name}" for path in FILES for name in imports(path) if name[0] == "."]
    assert not relative, "relative imports hide the floor"
    pairs = [(path, other) for path in FILES for other in used(path)]
    up = [(a, b) for a, b in pairs if FLOOR[folder(b)] > FLOOR[folder(a)]]
    met = [(a, b) for a, b in pairs if {folder(a), folder(b)} <= set(STRANGERS) and folder(a) != folder(b)]
    assert not [f"{place(a)} imports {place(b)}" for a, b in up + met]


def test_nothing_imports_in_a_circle():
    assert not circles(place)
    for depth in (1, 2, 3):
        assert not circles(lambda path, depth=depth: "/".join(place(path).split("/")[:depth]))


def test_a_face_hands_on_names_and_defines_nothing():
    faces = [path for path in FILES if path.name == "__init__.py" and path.parent != PACKAGE]
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign)
    wrong = [place(path) for path in faces if not all(isinstance(node, allowed) for node in tree(path).body)]
    assert not wrong
    assert not [place(path) for path in faces if len(path.read_text().splitlines()) >= MAX_FACE_LINES]


def test_torch_stays_upstairs():
    quiet = [path for path in FILES if place(path).startswith(NO_TORCH)]
    found = [(path, name) for path in quiet for name in imports(path) if name.split(".")[0] in TORCH]
    assert not [f"{place(path)} imports {name}" for path, name in found]
    modules = [f"mdeas.{place(path)[:-3].replace('/', '.')}" for path in quiet if "__" not in path.name]
    code = f"import sys, {', '.join(modules)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pictures_are_decoded_and_encoded_in_one_place():
    wrong = []
    for path in FILES:
        attributes = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        found = attributes & {"imread", "imwrite", "imdecode", "imencode"}
        found |= {name for name in imports(path) if name.split(".")[0] == "PIL"}
        wrong += [f"{place(path)}: {name}" for name in found - set(PICTURES.get(place(path), "").split())]
    assert not wrong


def test_everything_is_small_and_says_what_it_is():
    assert not [place(path) for path in FILES if len(path.read_text().splitlines()) > MAX_FILE_LINES]
    assert not [place(path) for path in FILES if not ast.get_docstring(tree(path))], "begin with a docstring"
    lengths = function_lengths()
    assert statistics.median(lengths.values()) < 20
    long = {name: length for name, length in lengths.items() if length >= 40}
    assert len(long) <= 0.05 * len(lengths), long
