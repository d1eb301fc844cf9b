"""Read webdataset tars: `1.background.jpg 1.image.jpg 1.mask.png 1.depth.png 1.json 2.background.jpg ...`.

Members are read in place and never extracted. A truncated tar is refused, even one that ends between two
members, because the zeros that mark the end of an archive are missing.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mdeas.create.imports.entry import ALIASES, ImportEntry, PictureFile, import_error, parse_entry
from mdeas.sample import SPLITS
from mdeas.system.files import quoted

_BLOCK = 512  # bytes; POSIX.1-1988 (ustar) ends an archive with two blocks of zeros
_CHUNK = 2**20  # bytes


def read_tar(path: Path) -> list[ImportEntry]:
    """Read the entries of one tar; samples without a split take it from the tar's name (`train-00000.tar`).

    Errors: InputError E-IMPORT when the tar is truncated or compressed, or holds links, devices or a name
        twice.
    """
    groups: dict[str, dict[str, PictureFile]] = {}
    for member in _members(path):
        folder, slash, name = member.name.rpartition("/")
        key, _, kind = name.partition(".")
        role = kind.lower().split(".")[0]
        group = groups.setdefault(folder + slash + key, {})
        if role in group:
            raise import_error(quoted(path), f"holds {member.name!r} twice", "Write the tar again.")
        group[role] = PictureFile(str(path), member.name, member.offset_data, member.size)
    return [_entry(path, key, group) for key, group in groups.items()]


def _entry(path: Path, key: str, group: dict[str, PictureFile]) -> ImportEntry:
    where = f"{quoted(path)} sample {key!r}"
    split = path.stem.partition("-")[0]
    facts = {"split": split if split in SPLITS else None} | _facts(group, where)
    files = {ALIASES[role]: file for role, file in group.items() if role in ALIASES}
    return parse_entry(f"{path.stem}-{key}".replace("/", "-"), files, facts, where)


def _facts(group: dict[str, PictureFile], where: str) -> dict[str, Any]:
    if "json" not in group:
        return {}
    try:
        facts = json.loads(group["json"].read())
    except (ValueError, RecursionError) as error:
        raise import_error(where, f"its json is not valid ({error})", "Correct this JSON.") from error
    if not isinstance(facts, dict):
        raise import_error(where, "its json is not an object", "Give a JSON object.")
    return facts


def _members(path: Path) -> Iterator[tarfile.TarInfo]:
    """Yield every file of a complete, uncompressed tar."""
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    what = f"{member.name!r} is a link or device"
                    raise import_error(quoted(path), what, "Write a tar of regular files only.")
                yield member
            _check_end(path, tar.offset)
    except tarfile.TarError as error:
        raise import_error(
            quoted(path), f"not a whole, uncompressed tar ({error})", "Copy it again, or unpack it."
        ) from error
    except OSError as error:
        raise import_error(quoted(path), str(error.strerror), "Check the path.") from error


def _check_end(path: Path, end: int) -> None:
    """Check that at least one block of zeros, and nothing else, follows the last member.

    tarfile silently stops at anything that it cannot read as a header: a damaged or truncated header, or a
    second archive after the first.
    """
    with open(path, "rb") as file:
        file.seek(end)
        num_bytes = 0
        while chunk := file.read(_CHUNK):
            if chunk.strip(b"\0"):
                raise import_error(quoted(path), f"not readable after byte {end:,}", "Copy it again.")
            num_bytes += len(chunk)
    if num_bytes < _BLOCK:
        raise import_error(quoted(path), "the tar ends early", "Copy it again.")
