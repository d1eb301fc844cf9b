"""Refuse to train into a folder that belongs to another run; resume what was begun there."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mdeas.errors import StorageError, UsageError
from mdeas.system.files import remove_temporaries
from mdeas.system.lock import locked
from mdeas.train.checkpoint import load_state
from mdeas.train.ranks import Ranks
from mdeas.train.recipe.recipe import differences

RECORD = "stages.json"  # in the folder of a curriculum: its recipe, its data, and which stages are done


@contextlib.contextmanager
def held(out: Path, ranks: Ranks) -> Iterator[None]:
    """Create and lock `out`, and remove temporary files that an interrupted write left there.

    The first rank holds the lock for all ranks. Errors: StorageError E-LOCKED naming the holder.
    """
    with contextlib.ExitStack() as stack:

        def hold() -> None:
            stack.enter_context(locked(out))
            remove_temporaries(out)

        ranks.first_does(hold)
        yield


def state_to_resume(out: Path, recipe: dict[str, Any], data: str, ranks: Ranks) -> dict[str, Any] | None:
    """The resume state in `out`; None when no run was begun there.

    Input: recipe: resolved, see recipe.to_dict; data: fingerprint of the data sets.
    Errors: UsageError E-RESUME when the run there has another recipe or data; ModelError E-RESUME when every
        state is damaged; StorageError E-EXISTS when other files are there, E-RANKS when the ranks find
        different states.
    """
    with ranks.alike():
        state = load_state(out)
        if state is None:
            refuse_foreign(out)
        else:
            refuse_another(out, state, {"recipe": recipe, "data": data})
        ranks.require_same_step(state["progress"]["step"] if state else 0, out)
    return state


def refuse_foreign(out: Path, *, stages: bool = False) -> None:
    """StorageError E-EXISTS when `out` holds files that no run of this kind has written.

    Input: stages: whether `out` is to become the folder of a curriculum; it has no RECORD yet.
    """
    names = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    other = set(names) - {"recipe.yaml"} if stages or "recipe.yaml" not in names else {RECORD} & set(names)
    if other:
        raise StorageError("E-EXISTS", f"'{out}' holds other files ({min(other)}). Choose another folder.")


def refuse_another(out: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """UsageError E-RESUME with the differences, when the run in `out` was begun with other inputs.

    Input: before, now: "recipe" (resolved, see recipe.to_dict) and "data" (fingerprint), among others.
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
