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
    stems = Counter(_key(path.stem) for path in paths)
    taken: set[str] = set()
    names = []
    for path in paths:
        base = _cut(path.stem if stems[_key(path.stem)] == 1 else path.name)
        name, number = base, 2
        while _key(name) in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(_key(name))
        names.append(name)
    return names


def _key(name: str) -> str:
    return _cut(name).casefold()


def _cut(name: str) -> str:
    """At most _MAX_BYTES of the name as the file system stores it, never half a character."""
    data = os.fsencode(name)
    if len(data) <= _MAX_BYTES:
        return name
    return data[:_MAX_BYTES].decode(errors="ignore")
