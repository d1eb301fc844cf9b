"""From a signature and words to a call: what commands are given, and what wrong words are told."""

from typing import Annotated, Literal

import pytest

from mdeas.commands.choices import File, NonNegativeInt, Overrides, PositiveInt
from mdeas.commands.parser import did_you_mean, parse
from mdeas.errors import UsageError


def given(function, *words):
    """The arguments that `function` gets from the words of a command line."""
    name, call = parse({"go": function}, ["go", *words])
    assert (name, call.func) == ("mdeas go", function)
    return call.keywords


def refusal(function, *words):
    with pytest.raises(UsageError) as caught:
        parse({"go": function}, ["go", *words])
    assert caught.value.code == "E-USAGE" and "\n" not in str(caught.value)
    assert str(caught.value).endswith(" See `mdeas go --help`.")
    return str(caught.value)


def go(
    files: list[str],
    *,
    out: str,
    number: int | None = None,
    share: float = 0.5,
    at_least: PositiveInt = 3,
    seed: NonNegativeInt = 0,
    form: Literal["folder", "tar"] = "folder",
    looks: Literal[1, 2] = 1,
    more: list[File] | None = None,
    overrides: Overrides = [],  # noqa: B006
    force: bool = False,
) -> None:
    """Collect, 100% of it.

    files: f
    out: o
    number: n
    share: p, below 100%
    at_least: a
    seed: s
    form: m
    looks: l
    more: r
    overrides: v
    force: w
    """


DEFAULTS = {
    "number": None,
    "share": 0.5,
    "at_least": 3,
    "seed": 0,
    "form": "folder",
    "looks": 1,
    "more": None,
    "overrides": [],
    "force": False,
}


def test_signature_becomes_arguments():
    assert given(go, "a", "1e3", "-o", "null") == DEFAULTS | {"files": ["a", "1e3"], "out": "null"}
    words = [
        "a",
        "--out=o",
        "--number",
        "-4",
        "--share",
        "1e-3",
        "--at-least",
        "1",
        "--seed",
        "0",
        "--looks",
        "2",
    ]
    words += ["--form", "tar", "--more", "x", "y", "--set", "x=1", "--set=c.d=3=4", "--force"]
    assert given(go, *words) == {
        "files": ["a"],
        "out": "o",
        "number": -4,
        "share": 0.001,
        "at_least": 1,
        "seed": 0,
        "form": "tar",
        "looks": 2,
        "more": ["x", "y"],
        "overrides": ["x=1", "c.d=3=4"],
        "force": True,
    }


def test_repeated_overrides_do_not_leak_into_the_next_call():
    assert given(go, "a", "-o", "o", "--set", "a=1")["overrides"] == ["a=1"]
    assert given(go, "a", "-o", "o")["overrides"] == []


def one(name: str | None = None) -> None:
    """Collect.

    name: n
    """


def test_an_argument_with_a_default_may_be_left_out():
    assert given(one) == {"name": None}
    assert given(one, "x") == {"name": "x"}


@pytest.mark.parametrize("name", ["null", "1e3", "a: b", "{x}", "[1]", "~", " ", "", "été 😀.png", "--a b"])
def test_paths_are_taken_to_the_letter(name):
    assert given(one, name) == {"name": name}


def test_two_dashes_end_the_options():
    assert given(one, "--", "-b.png") == {"name": "-b.png"}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["a"], "the following arguments are required: -o/--out."),
        (["-o", "o"], "the following arguments are required: FILES."),
        (["a", "-o"], "argument -o/--out: expected one argument."),
        (["a", "-o", "o", "--at-least", "0"], "argument --at-least: expected an integer above 0, got '0'."),
        (["a", "-o", "o", "--at-least", "1.5"], "expected an integer above 0, got '1.5'."),
        (["a", "-o", "o", "--seed", "-1"], "argument --seed: expected an integer, 0 or above, got '-1'."),
        (["a", "-o", "o", "--share", "wide"], "argument --share: expected a number, got 'wide'."),
        (["a", "-o", "o", "--share", "nan"], "argument --share: expected a number, got 'nan'."),
        (["a", "-o", "o", "--form", "Tar"], "expected one of folder, tar, got 'Tar'. Did you mean 'tar'?"),
        (["a", "-o", "o", "--looks", "3"], "argument --looks: expected one of 1, 2, got '3'."),
        # An unknown option is named first, not what is missing because of it.
        (["a", "--ouput", "o"], "unknown option '--ouput'. Did you mean '--out'?"),
        (["a", "--ou", "o"], "unknown option '--ou'. Did you mean '--out'?"),
        (["a", "-o", "o", "-m"], "unknown option '-m'. Did you mean '--more'?"),
        (["a", "-o", "o", "-f"], "unknown option '-f'. See"),  # --form or --force
        (["a", "-o", "o", "--a.b=x"], "unknown option '--a.b'."),
        (["a", "-o", "o", "--zzz", "1"], "unknown option '--zzz'. See"),
    ],
)
def test_a_wrong_word_is_told_with_what_was_expected(words, wanted):
    assert wanted in refusal(go, *words)


def test_a_word_too_many_is_told():
    assert "unrecognized arguments: y." in refusal(one, "x", "y")


def test_help_has_the_default_and_what_is_expected(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        parse({"go": go}, ["go", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "--share SHARE p, below 100% (default: 0.5)" in shown
    assert "--at-least N a (default: 3)" in shown and "--form {folder,tar} m (default: folder)" in shown
    assert "-o OUT, --out OUT o --number NUMBER n --share" in shown
    assert "--more FILE [FILE ...] r --set FIELD=VALUE v --force w --debug" in shown


TABLE = {"create": {"scenes": one, "photos": one}, "predict": one, "video": one}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["pedict"], "unknown command 'pedict'. Did you mean 'predict'? See `mdeas --help`."),
        (
            ["create", "scens"],
            "unknown command 'create scens'. Did you mean 'create scenes'? See `mdeas create --help`.",
        ),
        (["scenes"], "unknown command 'scenes'. Did you mean 'create scenes'? See `mdeas --help`."),
        (["creat"], "unknown command 'creat'. Did you mean 'create'? See `mdeas --help`."),
        (["nonsense"], "unknown command 'nonsense'. See `mdeas --help`."),
        ([""], "unknown command ''. See `mdeas --help`."),
        (["--"], "unknown command '--'. See `mdeas --help`."),
        (["-5"], "unknown command '-5'. See `mdeas --help`."),
        (["create"], "'create' needs one of the commands scenes, photos. See `mdeas create --help`."),
        (["--versoin"], "unknown option '--versoin'. Did you mean '--version'? See `mdeas --help`."),
        (["create", "--version"], "unknown option '--version'. See `mdeas create --help`."),
    ],
)
def test_a_wrong_command_is_told_with_the_nearest(words, wanted):
    with pytest.raises(UsageError) as caught:
        parse(TABLE, words)
    assert str(caught.value) == wanted


def test_the_nearest_device_for_gpu_is_cuda():
    assert did_you_mean("gpu", ["auto", "cpu", "cuda"]) == " Did you mean 'cuda'?"
    assert did_you_mean("gpu", ["cpu"]) == " Did you mean 'cpu'?"
    assert did_you_mean("cuba", ["auto", "cpu", "cuda"]) == " Did you mean 'cuda'?"


def test_a_command_is_found_and_named():
    name, call = parse(TABLE, ["create", "photos", "x"])
    assert (name, call.func, call.keywords) == ("mdeas create photos", one, {"name": "x"})


def test_no_words_print_the_help(capsys):
    _, call = parse(TABLE, [])
    call()
    shown = capsys.readouterr().out
    assert shown.startswith("usage: mdeas") and "create scenes" in shown and "predict" in shown


def annotated(*, at: Annotated[str, "X,Y"]) -> None:
    """Collect.

    at: a
    """


def test_an_annotation_names_what_is_expected(capsys):
    assert given(annotated, "--at", "3,4") == {"at": "3,4"}
    with pytest.raises(SystemExit):
        parse({"go": annotated}, ["go", "--help"])
    assert "--at X,Y" in capsys.readouterr().out
