"""Where samples are made and labelled: in processes of this machine, or on a Ray cluster."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from mdeas.create.factory import labels, pool
from mdeas.create.factory.options import EngineName
from mdeas.errors import UsageError


@dataclass(kw_only=True)
class Engine:
    """The three functions of a place where samples are made. Every engine makes the same bytes."""

    results: Callable[..., Generator[tuple[Any, Any], None, None]]
    """As pool.results."""
    labelled: Callable[..., Iterator[tuple[Any, Any]]]
    """As labels.labelled."""
    how_labelled: Callable[[], dict[str, Any]]
    """As labels.how_here."""


LOCAL = Engine(results=pool.results, labelled=labels.labelled, how_labelled=labels.how_here)


@contextlib.contextmanager
def open_engine(name: EngineName, *, address: str | None = None, workers: int = 1) -> Iterator[Engine]:
    """An engine that works inside the `with` block.

    Input: address, workers: as of ray_cluster.joined; of no use to the local engine.
    Errors: UsageError E-USAGE for an address of the local engine; those of ray_cluster.joined.
    """
    if name == "local":
        if address is not None:
            raise UsageError("E-USAGE", f"--address {address!r} needs --engine ray (got local).")
        yield LOCAL
        return
    from mdeas.create.factory.ray_cluster import joined
    from mdeas.create.factory.ray_engine import how_labelled, labelled, results

    with joined(address, workers):
        yield Engine(results=results, labelled=labelled, how_labelled=how_labelled)
