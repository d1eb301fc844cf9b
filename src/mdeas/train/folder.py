"""Whose folder a run may go into: a new one, or that of the same recipe and data."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mdeas.errors import StorageError, UsageError
from mdeas.system.files import remove_temporaries
from mdeas.system.lock import locked
from mdeas.train.ranks import Ranks
from mdeas.train.recipe.recipe import differences

RECORD = "stages.json"  # in the folder of a curriculum: its recipe, its data, and what is done


@contextlib.contextmanager
def held(out: Path, ranks: Ranks) -> Iterator[None]:
    """Hold `out` (made when missing), without what interrupted writes left in it.

    The first rank locks it for all. Errors: StorageError E-LOCKED naming the holder.
    """
    with contextlib.ExitStack() as stack:
        ranks.first_does(lambda: _hold(out, stack))
        yield


def _hold(out: Path, stack: contextlib.ExitStack) -> None:
    stack.enter_context(locked(out))
    remove_temporaries(out)


def refuse_foreign(out: Path, *, stages: bool = False) -> None:
    """StorageError E-EXISTS when `out` holds what no run of this kind has begun.

    Input: stages: whether it is to be the folder of a curriculum, whose record (RECORD) is not there yet.
    """
    names = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    other = set(names) - {"recipe.yaml"} if stages or "recipe.yaml" not in names else {RECORD} & set(names)
    if other:
        raise StorageError("E-EXISTS", f"'{out}' holds other files ({min(other)}). Choose another folder.")


def refuse_another(out: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """UsageError E-RESUME with the difference, when a run was begun from something else.

    Input: before, now: "recipe" (resolved, see config.to_dict) and "data" (fingerprint), among others.
    """
    changed = differences(before["recipe"], now["recipe"])
    if before["data"] != now["data"]:
        changed.append("the data sets")
    if changed:
        raise UsageError(
            "E-RESUME",
            f"'{out}' was started differently: {'; '.join(changed)}. "
            "Use the same recipe and data, or another folder.",
        )
