"""Names for results, one per input, that never meet on any file system."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

# Leaves room in 255 bytes for the endings of results, a number and the temporary name while writing.
_MAX_BYTES = 180


def output_names(paths: Sequence[Path]) -> list[str]:
    """One name per path: its stem, or its whole name when stems meet, numbered when those meet too.

    `a.png` beside `a.jpg` gives "a.png" and "a.jpg"; names that differ in case alone count as equal, since
    they are on some file systems.
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
    """Text that any file can hold: bytes of a name that are not UTF-8 are written as \\xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _cut(name: str) -> str:
    """At most _MAX_BYTES of the name as the file system stores it, never half a character."""
    data = os.fsencode(name)
    if len(data) <= _MAX_BYTES:
        return name
    return data[:_MAX_BYTES].decode(errors="ignore")
