"""The command line: what it takes, what it says, how it exits."""

import inspect
import os
import subprocess
import sys

import pytest

from mdeas import cli
from mdeas import errors as e
from mdeas.commands import parser

HEAVY = ("torch", "cv2", "onnxruntime", "numpy", "pyarrow", "lightning_fabric", "rich")


def run_with(monkeypatch, function, words=("go",)):
    monkeypatch.setattr(cli, "COMMANDS", {"go": function})
    return cli.main(list(words))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--help"], "predict"),
        (["create", "--help"], "scenes"),
        (["create", "scenes", "--help"], "--count COUNT"),
        (["predict", "--help"], "--background BACKGROUND"),
        (["--version"], "mdeas 0."),
    ],
)
def test_help_goes_to_stdout(words, wanted, capsys):
    assert cli.main(words) == 0
    assert wanted in capsys.readouterr().out


def commands(table=cli.COMMANDS, path=()):
    for name, target in table.items():
        if callable(target):
            yield pytest.param([*path, name], target, id=" ".join([*path, name]))
        else:
            yield from commands(target, [*path, name])


@pytest.mark.parametrize(("words", "function"), list(commands()))
def test_every_option_of_every_command_is_explained(words, function, capsys):
    assert cli.main([*words, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split()).replace("- ", "-")  # help breaks lines at hyphens
    assert "==SUPPRESS==" not in shown
    for line in filter(None, inspect.getdoc(function).splitlines()[1:]):
        assert line.split(": ", 1)[-1].replace("- ", "-") in shown


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], "expected"),
        (["predcit"], "invalid choice: 'predcit'"),
        (["predict", "a.png"], "required: background, out"),
        (["predict", "a.png", "--background", "b.png", "--ou", "c"], "unrecognized arguments: --ou c"),
        (
            ["create", "scenes", "-o", "x", "--count", "0"],
            "--count: Expected an integer above 0. Got value: 0",
        ),
        (["create", "scenes", "-o", "x", "--count", "many"], "Expected an integer above 0. Got value: many."),
        (
            ["create", "scenes", "-o", "x", "--count", "3", "--seed", "-1"],
            "an integer, 0 or above. Got value: -1.",
        ),
        (
            ["predict", "a", "-o", "x", "--background", "b", "--fov", "wide"],
            "Expected a number. Got value: wide.",
        ),
        (
            ["create", "scenes", "-o", "x", "--count", "3", "--colour", "1"],
            "unrecognized arguments: --colour 1",
        ),
        (["verify", "x", "y"], "unrecognized arguments: y"),
        (
            ["predict", "a", "-o", "x", "--background", "b", "--device", "gpu"],
            "'directml', 'migraphx'. Got value: gpu",
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


def test_signature_becomes_arguments(monkeypatch):
    got = {}

    def go(
        files: list[str],
        *,
        out: str,
        number: int | None = None,
        overrides: list[str] = [],  # noqa: B006
        force: bool = False,
    ) -> None:
        """Collect.

        files: f
        out: o
        number: n
        overrides: s
        force: w
        """
        got.update(locals())

    words = ["go", "a", "1e3", "-o", "null", "--set", "x=1", "--a.b", "2", "--c.d=3=4", "--force"]
    assert run_with(monkeypatch, go, words) == 0
    got.pop("got", None)
    expected = {"files": ["a", "1e3"], "out": "null", "number": None, "force": True}
    assert got == {**expected, "overrides": ["x=1", "a.b=2", "c.d=3=4"]}


def test_repeated_overrides_do_not_leak_into_the_next_call(monkeypatch):
    seen = []

    def go(*, overrides: list[str] = []) -> None:  # noqa: B006
        """Collect.

        overrides: s
        """
        seen.append(overrides)

    run_with(monkeypatch, go, ["go", "--set", "a=1"])
    run_with(monkeypatch, go, ["go"])
    assert seen == [["a=1"], []]


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from mdeas.cli import main; main(['--help']);"
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


def test_an_argument_with_a_default_may_be_left_out(monkeypatch):
    seen = []

    def go(name: str | None = None) -> None:
        """Collect.

        name: n
        """
        seen.append(name)

    assert run_with(monkeypatch, go, ["go"]) == run_with(monkeypatch, go, ["go", "x"]) == 0
    assert seen == [None, "x"]


def test_paths_are_taken_to_the_letter(monkeypatch):
    seen = []

    def go(name: str) -> None:
        """Collect.

        name: n
        """
        seen.append(name)

    for name in ("null", "1e3", "a: b", "{x}", "[1]", "~", " ", "été 😀.png"):
        assert run_with(monkeypatch, go, ["go", name]) == 0
    assert seen == ["null", "1e3", "a: b", "{x}", "[1]", "~", " ", "été 😀.png"]
    assert parser._dotted_to_set(["--a.b"]) == ["--set", "a.b="]


def test_output_that_nobody_reads_is_no_bug():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "mdeas", "models"], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (e.EXIT_UNREAD, "")
