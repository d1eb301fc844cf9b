"""Errors a user can act on: one class per exit code, one stable code per cause.

Every message says what was got, what was expected and what to do, in one line.
"""

EXIT_OK = 0
EXIT_BUG = 1
EXIT_UNREAD = 141


class MdeasError(Exception):
    """Base of all errors that are not bugs.

    Input:
        code: stable identifier, e.g. "E-IMG-TRUNCATED".
        message: one line; names the file or value first, then what to do.
    """

    exit_code = EXIT_BUG

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code

    def record(self) -> dict[str, str]:
        """What a line of errors.jsonl says of it."""
        return {"code": self.code, "message": str(self)}

    def __reduce__(self):
        """Errors cross process borders; the default would lose `code`."""
        return type(self), (self.code, str(self))


class UsageError(MdeasError):
    """Wrong command line, recipe or argument."""

    exit_code = 2


class InputError(MdeasError):
    """A picture, pair or data set that cannot be used."""

    exit_code = 3


class StorageError(MdeasError):
    """Disk full, read-only, locked by another process, or an I/O error."""

    exit_code = 4


class ModelError(MdeasError):
    """A model or checkpoint that was rejected."""

    exit_code = 5


class NonFiniteError(MdeasError):
    """NaN or infinity where numbers are needed."""

    exit_code = 6


class MemoryLimitError(MdeasError):
    """Out of memory."""

    exit_code = 7


class WorkerError(MdeasError):
    """A worker process or rank died and could not be replaced."""

    exit_code = 8


class Stopped(MdeasError):
    """SIGINT or SIGTERM; state is saved and the work can be resumed."""

    def __init__(self, signum: int, message: str):
        super().__init__("E-STOPPED", message)
        self.signum = signum
        self.exit_code = 128 + signum

    def __reduce__(self):
        return type(self), (self.signum, str(self))
