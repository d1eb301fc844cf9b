"""How a data set is made, whatever makes its samples."""

import os
from dataclasses import dataclass
from typing import Literal

EngineName = Literal["local", "ray"]


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """Options of `build`. The samples do not depend on the first four."""

    out: str | os.PathLike[str]
    """Folder of the data set."""
    workers: int = 1
    """Number of worker processes."""
    engine: EngineName = "local"
    """Processes of this machine, or a Ray cluster."""
    address: str | None = None
    """HOST:PORT of a Ray cluster, or auto; None starts Ray for this run. Only with `engine` ray."""
    force: bool = False
    """Replace a data set that was made with other values."""
    skip_bad: bool = False
    """Leave out samples for which the maker raises InputError, and list them in errors.jsonl."""
    photo_format: Literal["jpeg", "png"] = "jpeg"
    """How photos are encoded that the maker did not encode itself."""
    shard_rows: int = 250
    """Most samples in one file."""
