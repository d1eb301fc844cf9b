"""The command line as a whole: its commands, what it says, how it exits, what it imports."""

import inspect
import io
import json
import os
import subprocess
import sys

import pytest

from mdeas import cli
from mdeas import errors as e
from mdeas.system.optional import EXTRAS

HEAVY = (
    *("torch", "cv2", "onnxruntime", "numpy", "pyarrow", "lightning_fabric", "rich", "jsonargparse", "yaml"),
    *("traceback", "difflib"),
)


def run_with(monkeypatch, function, words=("go",)):
    monkeypatch.setattr(cli, "COMMANDS", {"go": function})
    return cli.main(list(words))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], "predict"),
        (["--help"], "predict"),
        (["create", "--help"], "scenes"),
        (["create", "scenes", "--help"], "--count N"),
        (["predict", "--help"], "--background FILE"),
        (["--version"], "mdeas 0."),
    ],
)
def test_help_goes_to_stdout(words, wanted, capsys):
    assert cli.main(words) == 0
    assert wanted in capsys.readouterr().out


def test_a_notebooks_stdout_is_enough(monkeypatch, capsys):
    out = io.StringIO()  # a stream without an encoding, as notebooks have
    monkeypatch.setattr("sys.stdout", out)
    assert cli.main(["--version"]) == 0
    assert out.getvalue().startswith("mdeas 0.")


def commands(table=cli.COMMANDS, path=()):
    for name, target in table.items():
        if callable(target):
            yield pytest.param([*path, name], target, id=" ".join([*path, name]))
        else:
            yield from commands(target, [*path, name])


def defaults(function):
    """The defaults of a command's options that help must say."""
    values = [parameter.default for parameter in inspect.signature(function).parameters.values()]
    return [value for value in values if value not in (inspect.Parameter.empty, None, False, [])]


@pytest.mark.parametrize(("words", "function"), list(commands()))
def test_every_option_of_every_command_is_explained(words, function, capsys):
    assert cli.main([*words, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split()).replace("- ", "-")  # help breaks lines at hyphens
    assert "==SUPPRESS==" not in shown
    for line in filter(None, inspect.getdoc(function).splitlines()[1:]):
        assert line.split(": ", 1)[-1].replace("- ", "-") in shown
    for value in defaults(function):
        assert f"(default: {value})" in shown


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["create"], "'create' needs one of the commands scenes, photos, pairs, cutouts"),
        (["predcit"], "unknown command 'predcit'. Did you mean 'predict'?"),
        (["create", "scens"], "unknown command 'create scens'. Did you mean 'create scenes'?"),
        (["predict", "a.png"], "required: --background, -o/--out"),
        (["predict", "a.png", "--background", "b.png", "--ou", "c"], "unknown option '--ou'."),
        (["predict", "a.png", "--ouput", "c"], "unknown option '--ouput'. Did you mean '--out'?"),
        (["predict", "a.png", "-b", "b.png", "-o", "c"], "unknown option '-b'. Did you mean '--background'?"),
        (["create", "scenes", "-o", "x", "--count", "0"], "--count: expected an integer above 0, got '0'."),
        (["create", "scenes", "-o", "x", "--count", "many"], "expected an integer above 0, got 'many'."),
        (
            ["create", "scenes", "-o", "x", "--count", "3", "--seed", "-1"],
            "--seed: expected an integer, 0 or above, got '-1'.",
        ),
        (
            ["predict", "a", "-o", "x", "--background", "b", "--fov", "wide"],
            "--fov: expected a number, got 'wide'.",
        ),
        (["create", "scenes", "-o", "x", "--count", "3", "--colour", "1"], "unknown option '--colour'."),
        (["train", "twin", "--optimizer.lr", "1"], "unknown option '--optimizer.lr'."),
        (["train"], "required: RECIPE"),
        (["benchmark", "a.png"], "required: --background"),
        (["verify", "x", "y"], "unrecognized arguments: y"),
        (
            ["predict", "a", "-o", "x", "--background", "b", "--device", "gpu"],
            "'gpu'. Did you mean 'cuda'?",
        ),
    ],
)
def test_a_wrong_command_line_is_one_clear_line_and_exit_2(words, wanted, capsys):
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("mdeas: error[E-USAGE] ")
    assert captured.err.count("\n") == 1
    assert wanted in captured.err
    assert "--help`" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (e.UsageError("E-A", "m"), "E-A", 2),
        (e.InputError("E-IMG-TRUNCATED", "'a b.jpg': file\nends early."), "E-IMG-TRUNCATED", 3),
        (e.StorageError("E-A", "m"), "E-A", 4),
        (e.ModelError("E-A", "m"), "E-A", 5),
        (e.NonFiniteError("E-A", "m"), "E-A", 6),
        (e.MemoryLimitError("E-A", "m"), "E-A", 7),
        (MemoryError(), "E-MEMORY", 7),
        (PermissionError(13, "Permission denied", "a.png"), "E-IO", 4),
        (PermissionError(1, "Operation not permitted"), "E-BUG", 1),
        (e.WorkerError("E-A", "m"), "E-A", 8),
        (e.Stopped(15, "m"), "E-STOPPED", 143),
        (KeyboardInterrupt(), "E-STOPPED", 130),
        (ZeroDivisionError("division by zero"), "E-BUG", 1),
    ],
)
def test_every_error_is_one_line_and_its_exit_code(error, code, exit_code, monkeypatch, capsys):
    def go() -> None:
        """Fail."""
        raise error

    assert run_with(monkeypatch, go) == exit_code
    captured = capsys.readouterr()
    assert captured.err.startswith(f"mdeas: error[{code}] ")
    assert captured.err.count("\n") == 1
    assert ("--debug" in captured.err) == (exit_code == 1)


def test_debug_shows_the_traceback(monkeypatch, capsys):
    def go() -> None:
        """Fail."""
        raise e.InputError("E-A", "m")

    assert run_with(monkeypatch, go, ["go", "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["predict", "--help"], []])
def test_help_imports_nothing_heavy(words):
    code = (
        f"import sys; from mdeas.cli import main; main({words});"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_importing_the_package_imports_nothing_heavy():
    code = f"import sys, mdeas; assert not [name for name in {HEAVY!r} if name in sys.modules]; mdeas.load"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_module_and_script_are_the_same_command():
    done = subprocess.run([sys.executable, "-m", "mdeas", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("mdeas: error[E-USAGE]")


def test_output_that_nobody_reads_is_no_bug():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "mdeas", "models"], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (e.EXIT_UNREAD, "")


HIDE = "import sys; sys.modules.update(dict.fromkeys({hidden!r})); from mdeas.cli import main; "


@pytest.mark.parametrize(
    ("hidden", "words", "wanted"),
    [
        ("torch", ["train", "twin", "--data", "x", "-o", "run"], "mdeas train needs PyTorch"),
        (
            "lightning_fabric",
            ["train", "twin", "--data", "x", "-o", "run"],
            "mdeas train needs lightning-fabric",
        ),
        ("torch", ["models"], "mdeas models needs PyTorch"),
        ("torch", ["create", "scenes", "-o", "x", "--count", "1"], "mdeas create scenes needs PyTorch"),
    ],
)
def test_a_missing_extra_is_named_with_its_command(hidden, words, wanted, tmp_path):
    code = HIDE.format(hidden=[hidden]) + f"sys.exit(main({words}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr == f"mdeas: error[E-EXTRA] {wanted}. Run: pip install '.[train]'\n"


def test_no_command_of_a_base_install_ends_as_a_bug(tmp_path):
    pictures = ["--backgrounds", str(tmp_path), "--foregrounds", str(tmp_path), "--count", "1"]
    lines = [
        ["create", "scenes", "-o", "x", "--count", "1"],
        ["create", "scenes", "-o", "x", "--count", "1", "--engine", "ray"],
        ["create", "photos", "-o", "x", *pictures],
        ["create", "photos", "-o", "x", *pictures, "--set", "teacher=layered"],
        ["create", "pairs", "-o", "x", "--folder", "."],
        ["import", ".", "-o", "x"],
        ["verify", "x"],
        ["show", "x", "-o", "y"],
        ["export-data", "x", "-o", "y"],
        ["train", "twin", "--data", "x", "-o", "run"],
        ["train", "twin", "--plot-schedule", "a.png"],
        ["evaluate", "zero", "--data", "x", "-o", "y"],
        ["compare", "twin", "--data", "x", "-o", "y"],
        ["export", "run", "-o", "a.onnx"],
        ["quantize", "default", "--data", "x", "-o", "q.onnx"],
        ["grid", "default", "--data", "x", "-o", "g.png"],
        ["models"],
    ]
    code = HIDE.format(hidden=list(EXTRAS)) + f"print([main(words) for words in {lines}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    told = done.stderr.splitlines()
    assert len(told) == len(lines) and all(line.startswith("mdeas: error[E-") for line in told), done.stderr
    assert set(json.loads(done.stdout)) == {2, 3}  # an extra is missing, or the input is looked at first
    assert sum("[E-EXTRA]" in line for line in told) >= 8


def test_a_missing_module_of_mdeas_is_a_bug(monkeypatch, capsys):
    def go() -> None:
        """Fail."""
        raise ModuleNotFoundError("No module named 'mdeas.nowhere'", name="mdeas.nowhere")

    assert run_with(monkeypatch, go) == e.EXIT_BUG
    assert "E-BUG" in capsys.readouterr().err
