"""Windows and macOS: POSIX is used in system/ alone, and the commands run where it is missing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import without_posix

from mdeas.system.lock import locked

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "src" / "mdeas"
SAMPLE = PACKAGE / "weights" / "sample"
POSIX = {
    *without_posix.MODULES,
    *(f"os.{name}" for name in without_posix.OF_OS),
    *(f"signal.{name}" for name in (*without_posix.OF_SIGNAL, "SIGKILL")),
}


def run(*words, cwd):
    """What a command prints where POSIX is hidden."""
    program = [sys.executable, without_posix.__file__, *map(str, words)]
    done = subprocess.run(program, cwd=cwd, capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


def names(path):
    """Modules and dotted names that a file uses."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_posix_is_used_in_system_alone():
    files = {path.relative_to(PACKAGE).as_posix(): POSIX & set(names(path)) for path in PACKAGE.rglob("*.py")}
    assert files["system/lock.py"] == {"fcntl"}
    assert {name: found for name, found in files.items() if found and not name.startswith("system/")} == {}


def test_a_pair_is_checked_and_predicted(tmp_path):
    background, image = (next(SAMPLE.glob(f"{name}.*")) for name in ("background", "image"))
    assert run("check", background, image, cwd=tmp_path)[0] == 0
    code, told = run("predict", image, "--background", background, "-o", "out", cwd=tmp_path)
    assert code == 0, told
    assert len(told.splitlines()) > 5 and os.listdir(tmp_path / "out")
    if os.name == "posix":
        with locked(tmp_path / "out"):  # by flock, which the stand-in of msvcrt does not see
            pass


def test_scenes_are_made_and_a_network_is_trained(tmp_path):
    scenes = ("--count", "4", "--size", "32", "--seed", "1", "--set", "tiles=4")
    code, told = run("create", "scenes", "-o", "set", "--workers", "1", *scenes, cwd=tmp_path)
    assert code == 0, told
    fields = ("steps=2", "data.workers=1", "data.batch_size=2", "data.size=32", "threads=1")
    recipe = [word for field in fields for word in ("--set", field)]
    code, told = run("train", "mdeas-small", "--data", "set", "-o", "run", *recipe, cwd=tmp_path)
    assert code == 0, told
    assert (tmp_path / "run" / "last.safetensors").is_file()


def test_the_second_holder_of_a_lock_is_told_of_the_first(tmp_path):
    program = (
        "import sys, without_posix; without_posix.hide()\n"
        "from mdeas.system.lock import locked\n"
        "with locked(sys.argv[1]): print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    path = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS / "system"), str(PACKAGE.parent)])}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    first = subprocess.Popen(command, env=path, **streams)
    assert first.stdout.readline() == "held\n"
    second = subprocess.run(command, env=path, capture_output=True, text=True, input="")
    assert f"in use by process {first.pid} on " in second.stderr
    first.communicate()
    assert first.returncode == 0 and not os.listdir(tmp_path)
    assert subprocess.run(command, env=path, capture_output=True, text=True, input="").stdout == "held\n"
