"""Engines, which make and label samples: in processes of this machine, or on a Ray cluster."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from mdeas.create.factory import labels, pool
from mdeas.create.factory.options import EngineName
from mdeas.errors import UsageError


@dataclass(kw_only=True)
class Engine:
    """The three functions of an engine. The bytes are the same with every engine."""

    results: Callable[..., Generator[tuple[Any, Any], None, None]]
    """Makes samples; has the contract of pool.results."""
    labelled: Callable[..., Iterator[tuple[Any, Any]]]
    """Labels shards; has the contract of labels.labelled."""
    label_environment: Callable[[], dict[str, Any]]
    """Describes the machine that labels; has the contract of labels.local_environment."""


LOCAL = Engine(results=pool.results, labelled=labels.labelled, label_environment=labels.local_environment)


@contextlib.contextmanager
def open_engine(name: EngineName, *, address: str | None = None, workers: int = 1) -> Iterator[Engine]:
    """Open an engine for the `with` block.

    Input: address, workers: see ray_cluster.joined; the local engine takes no address.
    Errors: UsageError E-USAGE for an address with the local engine; those of ray_cluster.joined.
    """
    if name == "local":
        if address is not None:
            raise UsageError("E-USAGE", f"--address {address!r} needs --engine ray (got local).")
        yield LOCAL
        return
    from mdeas.create.factory.ray_cluster import joined
    from mdeas.create.factory.ray_engine import label_environment, labelled, results

    with joined(address, workers):
        yield Engine(results=results, labelled=labelled, label_environment=label_environment)
