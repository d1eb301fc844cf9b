"""The command line: the table of commands, and how their errors become one line and an exit code.

A command is a typed function in the file of its topic in commands/: its signature is the parser, its
docstring the help, and it imports what it needs when it runs. To add a command, write the function, give it a
row in COMMANDS, and write a test.
"""

import io
import os
import sys

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
from mdeas.commands.parser import Commands, parse
from mdeas.commands.pictures import background, benchmark, calibrate, check, compose, predict, video
from mdeas.errors import EXIT_BUG, EXIT_OK, EXIT_UNREAD, MdeasError, MemoryLimitError, StorageError

COMMANDS: Commands = {
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
    Output: the exit code, see errors.py.
    """
    words = sys.argv[1:] if argv is None else argv
    # File names may be any bytes; Windows has other encodings, which lack letters of our messages.
    if isinstance(sys.stdout, io.TextIOWrapper):  # it is not in a notebook
        encoding = "utf-8" if sys.platform == "win32" else None
        sys.stdout.reconfigure(encoding=encoding, errors="surrogateescape")
    try:
        _run(words)
        sys.stdout.flush()
        return EXIT_OK
    except SystemExit as stop:  # --help and --version
        return int(stop.code or EXIT_OK)
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and _stdout_is_closed():
            return EXIT_UNREAD
        return _report(error, debug="--debug" in words)


def _run(words: list[str]) -> None:
    name, command = parse(COMMANDS, words)
    try:
        command()
    except ModuleNotFoundError as error:
        from mdeas.system.optional import missing_extra

        raise (missing_extra(error, name) or error) from error


def _stdout_is_closed() -> bool:
    """Whether the reader of stdout is gone, as in `mdeas ... | head`; further output is then discarded."""
    try:
        os.write(sys.stdout.fileno(), b"\n")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _report(error: BaseException, *, debug: bool) -> int:
    """Print the error as one line, with `debug` its traceback first; return the exit code."""
    if debug:
        import traceback

        traceback.print_exception(error)
    code, message, exit_code = _explain(error)
    print(f"mdeas: error[{code}] {' '.join(message.split())}", file=sys.stderr)
    return exit_code


def _explain(error: BaseException) -> tuple[str, str, int]:
    """The error code, the message and the exit code of an exception."""
    if isinstance(error, MdeasError):
        return error.code, str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "E-STOPPED", "stopped by Ctrl-C.", 130
    if isinstance(error, MemoryError):
        advice = "Use smaller pictures, fewer workers or a smaller batch."
        return "E-MEMORY", f"out of memory. {advice}", MemoryLimitError.exit_code
    if isinstance(error, PermissionError) and isinstance(error.filename, str):
        advice = "Give a path that you may read, or change its permissions."
        return "E-IO", f"{error.filename!r}: {error.strerror}. {advice}", StorageError.exit_code
    what = f"{type(error).__name__}: {str(error)[:300]}"  # other packages' messages can fill pages
    hint = "This is a bug in mdeas: run it again with --debug and report the traceback."
    return "E-BUG", f"{what}. {hint}", EXIT_BUG
