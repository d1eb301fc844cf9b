"""Names for results, one per input: no two are equal on any file system."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

# Leaves room in 255 bytes for the endings of results, a number and the temporary name while writing.
_MAX_BYTES = 180


def output_names(paths: Sequence[Path]) -> list[str]:
    """One name per path: its stem; its whole name if stems are equal; with a number if those are equal, too.

    Names that differ in case alone count as equal, since on some file systems they are.

    Example:
        >>> output_names([Path("a.png"), Path("a.jpg"), Path("b.png"), Path("x/A.png")])
        ['a.png', 'a.jpg', 'b', 'A.png-2']
    """
    stems = Counter(_cut(path.stem).casefold() for path in paths)
    taken: set[str] = set()
    names = []
    for path in paths:
        stem = _cut(path.stem)
        base = stem if stems[stem.casefold()] == 1 else _cut(path.name)
        name, number = base, 2
        while name.casefold() in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def printable(name: str) -> str:
    """A name as text that every file can hold: bytes that are not UTF-8 become \\xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _cut(name: str) -> str:
    """The first _MAX_BYTES bytes of a name, without a character that is cut in half."""
    data = os.fsencode(name)
    if len(data) <= _MAX_BYTES:
        return name
    return data[:_MAX_BYTES].decode(errors="ignore")
