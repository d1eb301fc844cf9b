"""From a function to the parser of its command: the signature gives the arguments, the docstring the help.

A parameter that is positional in Python is positional on the command line; a keyword-only one is an option.
A list takes several values; an option with the default [] may be repeated. choices.py has the types. The
docstring is one line that says what the command does, then one line `parameter: meaning` each.
"""

import inspect
import itertools
import re
import types
import typing
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, NoReturn

import mdeas
from mdeas.commands.choices import number
from mdeas.errors import UsageError

Command = Callable[..., None]
Commands = Mapping[str, "Command | Commands"]
"""Commands by name; a mapping is a group of commands."""

FLAGS = {
    "out": ("-o", "--out"),
    "overrides": ("--set",),
    "points": ("--point",),
    "json_output": ("--json",),
    "list_recipes": ("--list",),
}
"""The options that do not have the name of their parameter."""

_SYNONYMS = {"gpu": "cuda"}


def parse(commands: Commands, words: list[str]) -> tuple[str, Callable[[], None]]:
    """Find the command that `words` name and parse its arguments.

    Input: words: without the program's name.
    Output: the command's full name, such as "mdeas create scenes", and the command bound to its arguments;
        without words a function that prints the help.
    Errors: UsageError E-USAGE. `--help` and `--version` print and raise SystemExit(0), as in argparse.
    """
    target: Command | Commands = commands
    depth = 0
    while depth < len(words) and not callable(target) and words[depth] in target:
        target = target[words[depth]]
        depth += 1
    path, rest = words[:depth], words[depth:]
    name = " ".join(["mdeas", *path])
    if callable(target):
        parser = command_parser(name, target)
        parser.refuse_unknown_options(rest)
        arguments = vars(parser.parse_args(rest))
        del arguments["debug"]
        return name, partial(target, **arguments)
    parser = group_parser(name, target)
    if not path:
        parser.description = (mdeas.__doc__ or "").partition("\n")[0]
        parser.add_argument("--version", action="version", version=f"mdeas {mdeas.__version__}")
    if not words:
        return name, parser.print_help
    if not rest:
        parser.error(f"'{path[-1]}' needs one of the commands {', '.join(target)}")
    parser.refuse_unknown_options(rest[:1])
    if rest[0] in ("-h", "--help", "--version"):
        parser.parse_args(rest[:1])  # prints and exits
    typed = " ".join([*path, rest[0]])
    known = [*commands, *(full_name for full_name, _ in _flat(commands))]
    parser.error(f"unknown command '{typed}'.{did_you_mean(typed, known)}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest of the `known` words, or nothing.

    Example:
        >>> did_you_mean("pedict", ["predict", "video"])
        " Did you mean 'predict'?"
    """
    from difflib import get_close_matches  # only a mistake pays for this import

    known = list(known)
    if _SYNONYMS.get(word) in known:
        return f" Did you mean '{_SYNONYMS[word]}'?"
    begin = [name for name in known if name.startswith((word, f"-{word}"))]
    near = begin if len(begin) == 1 else get_close_matches(word, known)
    return f" Did you mean '{near[0]}'?" if near else ""


def require_options(command: str, options: Mapping[str, object]) -> None:
    """Refuse a command line that lacks options which only some uses of the command need.

    Input: options: option -> its value; None stands for an option that was not given.
    Errors: UsageError E-USAGE, in the words of argparse.
    """
    missing = ", ".join(name for name, value in options.items() if value is None)
    if missing:
        raise UsageError(
            "E-USAGE", f"the following arguments are required: {missing}. See `mdeas {command} --help`."
        )


def print_facts(facts: Mapping[str, object]) -> None:
    """Print one line per name and value, in two columns. None is printed as "unknown"."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        print(f"{name:<{width}}  {'unknown' if value is None else value}")


class CommandParser(ArgumentParser):
    """An argparse parser that raises UsageError E-USAGE instead of exiting.

    It accepts no abbreviations: otherwise a new option could break a script.
    """

    def __init__(self, **options: Any):
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith((".", "?")) else "."
        raise UsageError("E-USAGE", f"{message}{end} See `{self.prog} --help`.")

    def refuse_unknown_options(self, words: list[str]) -> None:
        """Name an unknown option before argparse complains about what is missing because of it."""
        known = self._option_string_actions
        for word in itertools.takewhile(lambda word: word != "--", words):
            name = word.partition("=")[0]
            # A word with a space is a value, and -oFILE is the option -o.
            if re.match("--?[a-zA-Z]", word) and " " not in word and not {name, name[:2]} & known.keys():
                self.error(f"unknown option '{name}'.{did_you_mean(name, known)}")


def group_parser(program: str, commands: Commands) -> CommandParser:
    """The parser of a group of commands; it only prints help."""
    parser = CommandParser(
        prog=program,
        usage=f"{program} [--help] COMMAND ...",
        epilog=f"`{program} COMMAND --help` explains the options of a command.",
    )
    table = parser.add_argument_group("commands")
    for name, command in _flat(commands):
        table.add_argument(name, help=_summary(command).replace("%", "%%"))
    return parser


def command_parser(program: str, command: Command) -> CommandParser:
    """The parser of one command."""
    parser = CommandParser(prog=program, description=_summary(command))
    meanings = dict(re.findall(r"^(\w+): (.+)$", inspect.getdoc(command) or "", re.MULTILINE))
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        _add(parser, parameter, meanings[parameter.name].replace("%", "%%"))
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _flat(commands: Commands, prefix: str = "") -> Iterator[tuple[str, Command]]:
    """Every command with its full name, such as "create scenes"."""
    for name, target in commands.items():
        if callable(target):
            yield prefix + name, target
        else:
            yield from _flat(target, f"{prefix}{name} ")


def _summary(command: Command) -> str:
    return (inspect.getdoc(command) or "").partition("\n")[0]


def _add(parser: CommandParser, parameter: inspect.Parameter, meaning: str) -> None:
    """Add the argument or the option of one parameter."""
    name, default = parameter.name, parameter.default
    required = default is inspect.Parameter.empty
    flags = FLAGS.get(name, (f"--{name.replace('_', '-')}",))
    if parameter.annotation is bool:
        parser.add_argument(*flags, dest=name, action="store_true", help=meaning)
        return
    convert, metavar, several = _values(parameter.annotation)
    if not required and default not in (None, []):
        meaning += f" (default: {default})"
    add = partial(parser.add_argument, type=convert, help=meaning, default=None if required else default)
    if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
        count = "+" if several else None if required else "?"
        add(name, metavar=name.upper(), nargs=count)
    elif several and default == []:
        add(*flags, dest=name, metavar=metavar, action="append")
    else:
        count = "+" if several else None
        add(*flags, dest=name, metavar=metavar, nargs=count, required=required)


class _Values(NamedTuple):
    """What an annotation says about the values of an argument."""

    convert: Callable[[str], object]
    metavar: str | None
    several: bool


def _values(annotation: Any) -> _Values:
    """Read an annotation. `X | None` is read as X: an option that is not given stays None."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _values(next(kind for kind in inner if kind is not types.NoneType))
    if origin is list:
        return _values(inner[0])._replace(several=True)
    if origin is typing.Literal:
        return _Values(_choice(inner), f"{{{','.join(map(str, inner))}}}", False)
    if origin is typing.Annotated:
        *converters, metavar = inner[1:]
        return _Values(converters[0] if converters else inner[0], metavar, False)
    return _Values(number if annotation is float else annotation, None, False)


def _choice(values: tuple[object, ...]) -> Callable[[str], object]:
    """A converter from text to one of `values`."""
    by_text = {str(value): value for value in values}

    def convert(text: str) -> object:
        if text not in by_text:
            expected = f"expected one of {', '.join(by_text)}, got {text!r}"
            raise ArgumentTypeError(f"{expected}.{did_you_mean(text, by_text)}")
        return by_text[text]

    return convert
