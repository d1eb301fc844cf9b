"""The command line: one typed function per command, heavy imports inside it.

A function's signature is its parser: positional parameters are arguments, keyword-only ones are options, the
docstring is the help. To add a command, write the function in the commands_*.py of its topic and give it a
row in COMMANDS.
"""

import os
import sys
import traceback
from typing import Any

from mdeas import __version__
from mdeas.commands.data import (
    create_cutouts,
    create_pairs,
    create_photos,
    create_scenes,
    export_data,
    import_data,
    show,
    verify,
)
from mdeas.commands.networks import compare, evaluate, export, grid, models, quantize, train
from mdeas.commands.parser import parse
from mdeas.commands.pictures import background, benchmark, calibrate, check, compose, predict, video
from mdeas.errors import EXIT_BUG, EXIT_OK, EXIT_UNREAD, MdeasError, MemoryLimitError

_MOST = 300  # characters of a stranger's message: a compiler's goes on for pages


COMMANDS: dict[str, Any] = {
    "create": {
        "scenes": create_scenes,
        "photos": create_photos,
        "pairs": create_pairs,
        "cutouts": create_cutouts,
    },
    "import": import_data,
    "verify": verify,
    "show": show,
    "export-data": export_data,
    "train": train,
    "evaluate": evaluate,
    "compare": compare,
    "export": export,
    "quantize": quantize,
    "grid": grid,
    "check": check,
    "background": background,
    "calibrate": calibrate,
    "predict": predict,
    "compose": compose,
    "benchmark": benchmark,
    "video": video,
    "models": models,
}


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Input: argv without the program's name; None = sys.argv.
    Output: the exit code (see errors.py).
    """
    words = sys.argv[1:] if argv is None else argv
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # names may be any bytes
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and _unread():
            return EXIT_UNREAD
        return _report(error, debug="--debug" in words)


def _run(words: list[str]) -> int:
    try:
        function, arguments = parse("mdeas", __version__, COMMANDS, words)
        function(**arguments)
    except SystemExit as stop:  # --help and --version
        return int(stop.code or EXIT_OK)
    return EXIT_OK


def _unread() -> bool:
    """Whether nobody reads what is printed, as behind `mdeas … | head`; from then on it goes nowhere."""
    try:
        os.write(sys.stdout.fileno(), b"\n")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _report(error: BaseException, *, debug: bool) -> int:
    """Print one line, and the traceback if asked for; return the exit code."""
    if debug:
        traceback.print_exception(error)
    code, message, exit_code = _explain(error)
    print(f"mdeas: error[{code}] {' '.join(message.split())}", file=sys.stderr)
    return exit_code


def _explain(error: BaseException) -> tuple[str, str, int]:
    """Return the stable code, the message and the exit code of any exception."""
    if isinstance(error, MdeasError):
        return error.code, str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "E-STOPPED", "stopped by Ctrl-C.", 130
    if isinstance(error, MemoryError):
        advice = "Use smaller pictures, fewer workers or a smaller batch."
        return "E-MEMORY", f"out of memory. {advice}", MemoryLimitError.exit_code
    hint = "This is a bug in mdeas: run it again with --debug and report the traceback."
    return "E-BUG", f"{type(error).__name__}: {str(error)[:_MOST]}. {hint}", EXIT_BUG
