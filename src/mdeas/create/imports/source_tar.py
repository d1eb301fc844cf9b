"""Webdataset tars: `000001.background.jpg 000001.image.jpg 000001.mask.png 000001.depth.png 000001.json`.

Members are read where they are and never extracted. A tar that was cut is refused, also where it was cut
between two members: its end is marked by zeros.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mdeas.create.imports.entry import ALIASES, Blob, Entry, broken, entry_of
from mdeas.sample import SPLITS
from mdeas.system.files import quoted

_BLOCK = 512  # bytes; POSIX.1-1988 (ustar) ends an archive with two blocks of zeros
_PIECE = 2**20


def read_tar(path: Path) -> list[Entry]:
    """The entries of one tar; those that do not say their split have that of its name (`train-00000.tar`).

    Errors: InputError E-IMPORT when it is cut, compressed, or holds links, devices or a name twice.
    """
    groups: dict[str, dict[str, Blob]] = {}
    for member in _members(path):
        folder, slash, name = member.name.rpartition("/")
        key, _, kind = name.partition(".")
        role = kind.lower().split(".")[0]
        group = groups.setdefault(folder + slash + key, {})
        if role in group:
            raise broken(quoted(path), f"holds {member.name!r} twice", "Write it again.")
        group[role] = Blob(str(path), member.name, member.offset_data, member.size)
    return [_entry(path, key, group) for key, group in groups.items()]


def _entry(path: Path, key: str, group: dict[str, Blob]) -> Entry:
    where = f"{quoted(path)} sample {key!r}"
    split = path.stem.partition("-")[0]
    facts = {"split": split if split in SPLITS else None} | _facts(group, where)
    files = {ALIASES[role]: blob for role, blob in group.items() if role in ALIASES}
    return entry_of(f"{path.stem}-{key}".replace("/", "-"), files, facts, where)


def _facts(group: dict[str, Blob], where: str) -> dict[str, Any]:
    if "json" not in group:
        return {}
    try:
        facts = json.loads(group["json"].read())
    except (ValueError, RecursionError) as error:
        raise broken(where, f"its json is not valid ({error})", "Correct it.") from error
    if not isinstance(facts, dict):
        raise broken(where, "its json is not an object", "Correct it.")
    return facts


def _members(path: Path) -> Iterator[tarfile.TarInfo]:
    """Every file in a plain tar that is whole."""
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if not member.isdir():
                    yield _plain(path, member)
            _check_end(path, tar.offset)
    except tarfile.TarError as error:
        raise broken(quoted(path), f"not a whole, uncompressed tar ({error})", "Copy it again.") from error
    except OSError as error:
        raise broken(quoted(path), str(error.strerror), "Check the path.") from error


def _plain(path: Path, member: tarfile.TarInfo) -> tarfile.TarInfo:
    if not member.isreg() or member.issparse():
        raise broken(quoted(path), f"{member.name!r} is a link or device", "A data set holds files only.")
    return member


def _check_end(path: Path, end: int) -> None:
    """Nothing but zeros, at least a block of them, comes after the last member.

    tarfile stops without a word at whatever it cannot read as a header: a damaged one, half of one, a second
    archive behind the first.
    """
    with open(path, "rb") as file:
        file.seek(end)
        num_bytes = 0
        while piece := file.read(_PIECE):
            if piece.strip(b"\0"):
                raise broken(quoted(path), f"what follows byte {end:,} cannot be read", "Copy it again.")
            num_bytes += len(piece)
    if num_bytes < _BLOCK:
        raise broken(quoted(path), "the tar ends early", "Copy it again.")
