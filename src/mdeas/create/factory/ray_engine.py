"""An engine (engine.py) on the Ray cluster that `ray_cluster.joined` has joined.

Samples are tasks, so that Ray places them, and makes again what a dead worker had. Labels are calls of
actors, one per GPU of the cluster, which keep the network. Only these and the function travel: pictures,
models and mdeas itself must be there, at the same paths and in the same versions.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from functools import lru_cache
from itertools import cycle, islice
from typing import Any

from mdeas.create.factory import labels, pool
from mdeas.create.factory.plan import Shard, versions
from mdeas.create.factory.shards import Made
from mdeas.errors import WorkerError


def results(
    function: Callable[[Any], Any], items: Iterable[Any], *, workers: int, tick: Callable[[], None]
) -> Generator[tuple[Any, Any], None, None]:
    """As pool.results; `workers` bounds what is on its way, and the CPUs of the cluster what is made at once.

    Errors: what `function` raises; WorkerError E-WORKER-DIED (more than 3 deaths at one item),
    E-WORKER-FROZEN (no result for 100 s), E-RAY-VERSIONS.
    """
    import ray

    task = ray.remote(num_cpus=1, max_retries=pool.MAX_DEATHS)(_make)
    shared = [ray.put((function, versions()))]  # in a list, or each task would be given a copy of its own
    pending = iter(items)
    waiting: dict[Any, Any] = {}
    while True:
        room = pool.AHEAD * workers - len(waiting)
        waiting |= {task.remote(shared, item): item for item in islice(pending, room)}
        if not waiting:
            return
        for reference in _ready(waiting, tick):
            yield waiting.pop(reference), _value(reference)


def labelled(
    maker: Any, whole: Iterable[tuple[Shard, dict[int, Made]]], tick: Callable[[], None]
) -> Iterator[tuple[Shard, dict[int, Made]]]:
    """As depth.labels.labelled; by the GPUs of the cluster if it has any. Errors: as of `results`."""
    if isinstance(maker, labels.LabelledMaker) and _num_gpus():
        return labelled_by_actors(maker, whole, tick, num_actors=_num_gpus())
    return labels.labelled(maker, whole, tick)


def how_labelled() -> dict[str, Any]:
    """As depth.labels.how_here, of where `labelled` does it."""
    import ray

    if not _num_gpus():
        return labels.how_here()
    return _fetched(ray.remote(num_gpus=1)(labels.how_here).remote())


def labelled_by_actors(
    maker: Any,
    whole: Iterable[tuple[Shard, dict[int, Made]]],
    tick: Callable[[], None],
    *,
    num_actors: int,
    gpus_each: int = 1,
) -> Iterator[tuple[Shard, dict[int, Made]]]:
    """Label shards while the next ones are made, at most 2 per actor on their way; in any order."""
    import ray

    options: Any = {"max_restarts": pool.MAX_DEATHS, "max_task_retries": pool.MAX_DEATHS}
    kind, shared = ray.remote(num_gpus=gpus_each, **options)(_Labeller), ray.put(maker)
    turns: Iterator[Any] = cycle([kind.remote(shared) for _ in range(num_actors)])
    waiting: dict[Any, Shard] = {}
    for shard, made in whole:
        waiting[next(turns).label.remote(shard.name, made)] = shard
        while len(waiting) >= pool.AHEAD * num_actors:
            yield from _done(waiting, tick)
    while waiting:
        yield from _done(waiting, tick)


def _done(waiting: dict[Any, Shard], tick: Callable[[], None]) -> Iterator[tuple[Shard, dict[int, Made]]]:
    for reference in _ready(waiting, tick):
        yield waiting.pop(reference), _value(reference)


class _Labeller:
    """Runs in an actor; the network stays in memory from the first shard on."""

    def __init__(self, maker: Any):
        self.maker = maker

    def label(self, name: str, made: dict[int, Made]) -> tuple[Any, Exception | None]:
        return pool.attempt(lambda _: labels.label_shard(self.maker, made, lambda: None), name)


def _make(shared: list[Any], item: Any) -> tuple[Any, Exception | None]:
    """Runs in a task."""
    import cv2

    cv2.setNumThreads(1)
    return pool.attempt(lambda item: _function(*shared)(item), item)


@lru_cache(maxsize=1)
def _function(reference: Any) -> Callable[[Any], Any]:
    """The function of `results`, fetched once a process."""
    import ray

    function, wanted = ray.get(reference)
    if versions() != wanted:
        advice = "Install the same ones: others can make other bytes."
        raise WorkerError(
            "E-RAY-VERSIONS", f"a worker on the cluster has {versions()}, not {wanted}. {advice}"
        )
    return function


def _ready(references: Iterable[Any], tick: Callable[[], None]) -> list[Any]:
    """Those whose result is there: at least one."""
    import ray

    for _ in range(int(pool.PATIENCE_S / pool.TICK_S)):
        tick()
        if ready := ray.wait(list(references), timeout=pool.TICK_S)[0]:
            return ready
    what = f"the cluster gave no result for {pool.PATIENCE_S:.0f} s; it hangs, or all of its CPUs are taken"
    raise WorkerError("E-WORKER-FROZEN", f"{what}. Run the same command again to go on.")


def _value(reference: Any) -> Any:
    value, error = _fetched(reference)
    if error is not None:
        raise error
    return value


def _fetched(reference: Any) -> Any:
    """What a task or an actor returned; WorkerError E-WORKER-DIED when it could not."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        what = f"workers on the cluster died or could not start: {' '.join(str(error).split())[:300]}"
        raise WorkerError("E-WORKER-DIED", f"{what}. Run the same command again to go on.") from error


def _num_gpus() -> int:
    import ray

    return int(ray.cluster_resources().get("GPU", 0))
