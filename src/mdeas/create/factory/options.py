"""Options of building a data set, the same for every maker."""

import os
from dataclasses import dataclass
from typing import Literal

EngineName = Literal["local", "ray"]


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """Options of `build`. `out`, `workers`, `engine` and `address` do not change the samples."""

    out: str | os.PathLike[str]
    """Folder of the data set."""
    workers: int = 1
    """Number of worker processes."""
    engine: EngineName = "local"
    """local: processes of this machine. ray: a Ray cluster."""
    address: str | None = None
    """HOST:PORT of a Ray cluster, or auto; None = start Ray for this run. Only with the engine ray."""
    force: bool = False
    """Replace a data set that was made with other values."""
    skip_bad: bool = False
    """Leave out samples for which the maker raises InputError, and list them in errors.jsonl."""
    photo_format: Literal["jpeg", "png"] = "jpeg"
    """Encoding of photos that the maker has not encoded itself."""
    shard_rows: int = 250
    """Greatest number of samples in one file."""
