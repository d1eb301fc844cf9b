"""Where samples are made and labelled: in processes of this machine, or on a Ray cluster."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from mdeas.create.factory import labels, pool
from mdeas.errors import UsageError


@dataclass(kw_only=True)
class Engine:
    """What `build` needs of a place to work. The bytes are the same for all."""

    results: Callable[..., Generator[tuple[Any, Any], None, None]]
    """As pool.results."""
    labelled: Callable[..., Iterator[tuple[Any, Any]]]
    """As depth.labels.labelled."""
    how_labelled: Callable[[], dict[str, Any]]
    """As depth.labels.how_here."""


LOCAL = Engine(results=pool.results, labelled=labels.labelled, how_labelled=labels.how_here)


@contextlib.contextmanager
def _local(address: str | None, _workers: int) -> Iterator[Engine]:
    if address is not None:
        raise UsageError("E-USAGE", f"--address {address!r} is of a Ray cluster. Add --engine ray.")
    yield LOCAL


@contextlib.contextmanager
def _ray(address: str | None, workers: int) -> Iterator[Engine]:
    from mdeas.create.factory.ray_cluster import joined
    from mdeas.create.factory.ray_engine import how_labelled, labelled, results

    with joined(address, workers):
        yield Engine(results=results, labelled=labelled, how_labelled=how_labelled)


ENGINES = {"local": _local, "ray": _ray}
"""`with ENGINES[name](address, workers) as engine`; `ray_cluster.joined` says what address may be."""
