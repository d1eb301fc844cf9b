"""The errors that a user can correct: one class per exit code, one code such as E-IMG-TRUNCATED per cause.

A message is one line: the file or value that is wrong, what was expected, and what to do.
"""

EXIT_OK = 0
"""Done."""
EXIT_BUG = 1
"""A bug in mdeas; the error code is E-BUG."""
EXIT_UNREAD = 141
"""The program that read the output ended first, as in `mdeas ... | head`."""


class MdeasError(Exception):
    """Base class of every error that is not a bug.

    Input:
        code: identifies the cause and never changes, e.g. "E-IMG-TRUNCATED".
        message: one line; names the file or value first, then what to do.
    """

    exit_code = EXIT_BUG

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code

    def record(self) -> dict[str, str]:
        """The error's entry in errors.jsonl."""
        return {"code": self.code, "message": str(self)}

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle `code` as well: errors of worker processes are pickled, and the default drops it."""
        return type(self), (self.code, str(self))


class UsageError(MdeasError):
    """Exit code 2: the command line, a recipe or an argument is wrong."""

    exit_code = 2


class InputError(MdeasError):
    """Exit code 3: a picture, a pair or a data set cannot be used."""

    exit_code = 3


class StorageError(MdeasError):
    """Exit code 4: the disk is full, read-only or locked by another process, or an I/O operation failed."""

    exit_code = 4


class ModelError(MdeasError):
    """Exit code 5: a model or a checkpoint was rejected."""

    exit_code = 5


class NonFiniteError(MdeasError):
    """Exit code 6: a number is NaN or infinite."""

    exit_code = 6


class MemoryLimitError(MdeasError):
    """Exit code 7: out of memory."""

    exit_code = 7


class WorkerError(MdeasError):
    """Exit code 8: a worker process or a training process died and could not be replaced."""

    exit_code = 8


class Stopped(MdeasError):
    """Exit code 130 or 143: SIGINT or SIGTERM stopped the command; the same command goes on from there."""

    def __init__(self, signum: int, message: str):
        super().__init__("E-STOPPED", message)
        self.signum = signum
        self.exit_code = 128 + signum

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.signum, str(self))
