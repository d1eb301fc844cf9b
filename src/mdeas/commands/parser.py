"""From functions to a command line: the signature is the parser, the docstring is the help.

Positional parameters become arguments, keyword-only ones options; `list[str]` takes several values, one with
the default [] may be repeated instead. Docstring: a line that says what the command does, then
`name: meaning` lines.
"""

import inspect
import re
import types
import typing
from argparse import ArgumentError, HelpFormatter
from collections.abc import Callable, Mapping
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from mdeas.errors import UsageError

FLAGS = {
    "out": ("-o", "--out"),
    "overrides": ("--set",),
    "points": ("--point",),
    "json_output": ("--json",),
}
METAVARS = {"overrides": "FIELD=VALUE", "points": "X,Y=METRES", "plot_schedule": "FILE", "find_lr": "FILE"}

_INTEGERS = {"PositiveInt": "an integer above 0", "NonNegativeInt": "an integer, 0 or above"}
_NO_INTEGER = re.compile(
    rf"Not of type ({'|'.join(_INTEGERS)}): (?:invalid literal for int\(\) with base 10: )?'?(.*?)'?"
    r"(?: does not conform to restriction \S+)?$"
)

Commands = Mapping[str, "Callable[..., None] | Commands"]


class _Parser(ArgumentParser):
    """A parser whose mistakes are one clear line. No abbreviations: a new option must not break a script."""

    def __init__(self, **options):
        super().__init__(exit_on_error=False, allow_abbrev=False, formatter_class=HelpFormatter, **options)


def parse(
    program: str, version: str, commands: Commands, words: list[str]
) -> tuple[Callable[..., None], dict[str, Any]]:
    """Return the function that `words` name, and its arguments.

    Errors: UsageError E-USAGE. `--help` and `--version` print and raise SystemExit(0), as argparse does.
    """
    parser = _Parser(prog=program)
    parser.add_argument("--version", action="version", version=f"{program} {version}")
    _fill(parser, commands)
    try:
        found = parser.parse_args(_dotted_to_set(words))
    except ArgumentError as error:
        help_command = " ".join([program, *_path(commands, words), "--help"])
        raise UsageError("E-USAGE", f"{_one_line(str(error))}. See `{help_command}`.") from None
    return _select(commands, found)


def configured(kind: type, fields: dict[str, Any], overrides: list[str]) -> Any:
    """Return the dataclass `kind` from a command's own options and `--set FIELD=VALUE`, its types checked.

    Errors: UsageError E-RECIPE, and what `kind` itself refuses.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "recipe")
    given = [f"{name}={value}" for name, value in fields.items() if value is not None]
    try:
        return parser.instantiate(
            parser.parse_args([f"--recipe.{item}" for item in given + overrides])
        ).recipe
    except ArgumentError as error:
        known = ", ".join(inspect.signature(kind).parameters)
        raise UsageError("E-RECIPE", f"{_one_line(str(error))}. Fields: {known}.") from None


def require(command: str, **options: Any) -> None:
    """UsageError E-USAGE naming the options that were not given (None), as the parser would.

    For options that only some ways to use a command need.
    """
    missing = ", ".join(name for name, value in options.items() if value is None)
    if missing:
        raise UsageError(
            "E-USAGE", f"the following arguments are required: {missing}. See `mdeas {command} --help`."
        )


def _fill(parser: ArgumentParser, commands: Commands) -> None:
    """Add the commands below `parser`; jsonargparse wants each level complete before the next one."""
    subcommands = parser.add_subcommands(required=True, dest="command", metavar="COMMAND", title="commands")
    for name, target in commands.items():
        if callable(target):
            subcommands.add_subcommand(name, _leaf(target), help=_summary(target))
        else:
            child = _Parser()
            subcommands.add_subcommand(name, child, help=f"{', '.join(target)}: see `{name} --help`")
            _fill(child, target)


def _leaf(function: Callable[..., None]) -> ArgumentParser:
    parser = _Parser(description=_summary(function))
    meanings = dict(re.findall(r"^(\w+): (.+)$", inspect.getdoc(function) or "", re.MULTILINE))
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        _add(parser, parameter, meanings[parameter.name])
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _add(parser: ArgumentParser, parameter: inspect.Parameter, meaning: str) -> None:
    name, required = parameter.name, parameter.default is inspect.Parameter.empty
    kind = _bare(parameter.annotation)
    options: dict[str, Any] = {"help": meaning}
    if kind is bool:
        options |= {"action": "store_true"}
    elif kind == list[str]:
        several: dict[str, Any] = {"nargs": "+"} if parameter.default != [] else {"action": "append"}
        options |= {"type": str} | several | ({} if required else {"default": parameter.default})
    else:
        options |= {"type": kind} | ({} if required else {"default": parameter.default})
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
        flags = FLAGS.get(name, (f"--{name.replace('_', '-')}",))
        options |= {"metavar": METAVARS[name]} if name in METAVARS else {}
        parser.add_argument(*flags, dest=name, required=required, **options)
    else:
        if not required:
            options["nargs"] = "?"
        parser.add_argument(name, metavar=name.upper(), **options)


def _bare(annotation: Any) -> Any:
    """`X | None` is X: an option that is not given stays None, and messages name the one type."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(kind for kind in typing.get_args(annotation) if kind is not type(None))
    return annotation


def _summary(function: Callable[..., None]) -> str:
    return (inspect.getdoc(function) or "").splitlines()[0]


def _select(commands: Commands, found: Namespace) -> tuple[Callable[..., None], dict]:
    target = commands[found.command]
    rest = found[found.command]
    if not callable(target):
        return _select(target, rest)
    return target, {name: value for name, value in vars(rest).items() if name != "debug"}


def _dotted_to_set(words: list[str]) -> list[str]:
    """`--a.b x` and `--a.b=x` mean `--set a.b=x`."""
    result: list[str] = []
    rest = iter(words)
    for word in rest:
        match = re.fullmatch(r"--(\w+(?:\.\w+)+)(?:=(.*))?", word, re.DOTALL)
        if match:
            value = match[2] if match[2] is not None else next(rest, "")
            result += ["--set", f"{match[1]}={value}"]
        else:
            result.append(word)
    return result


def _path(commands: Commands, words: list[str]) -> list[str]:
    """Return the leading words that name a command or a group of commands."""
    path: list[str] = []
    level: Any = commands
    for word in words:
        if callable(level) or word not in level:
            break
        path.append(word)
        level = level[word]
    return path


def _one_line(text: str) -> str:
    """jsonargparse's message, in the words of the command line."""
    text = " ".join(text.split()).rstrip(".")
    text = re.sub(r"a typing\.Literal\[(.*?)\]", r"one of \1", text)
    text = re.sub(r"a <class 'float'>", "a number", text)
    text = _NO_INTEGER.sub(lambda found: f"Expected {_INTEGERS[found[1]]}. Got value: {found[2]}", text)
    text = re.sub(r"\b(?:[a-z]+\.)+(?=[a-z])", "", text)  # "predict.background" is background
    text = re.sub(r'Parser key "(\w+)":', r"--\1:", text)
    return text[:1].lower() + text[1:]


def print_facts(facts: dict[str, Any]) -> None:
    """One aligned line per fact: its name and its value, None = unknown."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        print(f"{name:<{width}}  {'unknown' if value is None else value}")
