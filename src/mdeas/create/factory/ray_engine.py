"""The functions of an engine (engine.py) on the Ray cluster to which `ray_cluster.joined` connects.

A sample is a task: Ray distributes tasks, and repeats those of a dead worker. Labels come from actors, one
per GPU of the cluster, which keep the network in memory. Ray sends the samples and the function. Pictures,
models and mdeas must be on every machine, at the same paths and in the same versions.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from functools import lru_cache
from itertools import cycle, islice
from typing import Any

from mdeas.create.factory import labels, pool
from mdeas.create.factory.plan import Shard, versions
from mdeas.create.factory.shards import RowOrError
from mdeas.create.maker import Maker
from mdeas.errors import WorkerError


def results(
    function: Callable[[Any], Any], items: Iterable[Any], *, workers: int, tick: Callable[[], None]
) -> Generator[tuple[Any, Any], None, None]:
    """Do what pool.results does on the cluster; at most AHEAD * `workers` items are submitted at once.

    Errors: what `function` raises; WorkerError E-WORKER-DIED after more than MAX_DEATHS deaths at one item,
        E-WORKER-FROZEN after PATIENCE_S without a result, E-RAY-VERSIONS.
    """
    import ray

    task = ray.remote(num_cpus=1, max_retries=pool.MAX_DEATHS)(_make)
    # In a list, because Ray would copy the value of a bare reference for each task.
    shared = [ray.put((function, versions()))]
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
    maker: Maker, complete: Iterable[tuple[Shard, dict[int, RowOrError]]], tick: Callable[[], None]
) -> Iterator[tuple[Shard, dict[int, RowOrError]]]:
    """Do what labels.labelled does, on the GPUs of the cluster if it has any. Errors: those of `results`."""
    if isinstance(maker, labels.LabelledMaker) and _num_gpus():
        return labelled_by_actors(maker, complete, tick, num_actors=_num_gpus())
    return labels.labelled(maker, complete, tick)


def label_environment() -> dict[str, Any]:
    """Do what labels.local_environment does, on the machine where `labelled` labels."""
    import ray

    if not _num_gpus():
        return labels.local_environment()
    return _fetched(ray.remote(num_gpus=1)(labels.local_environment).remote())


def labelled_by_actors(
    maker: Maker,
    complete: Iterable[tuple[Shard, dict[int, RowOrError]]],
    tick: Callable[[], None],
    *,
    num_actors: int,
    gpus_each: int = 1,
) -> Iterator[tuple[Shard, dict[int, RowOrError]]]:
    """Label shards while the next ones are made, in any order; at most AHEAD shards per actor wait."""
    import ray

    options: Any = {"max_restarts": pool.MAX_DEATHS, "max_task_retries": pool.MAX_DEATHS}
    kind, shared = ray.remote(num_gpus=gpus_each, **options)(_Labeller), ray.put(maker)
    turns: Iterator[Any] = cycle([kind.remote(shared) for _ in range(num_actors)])
    waiting: dict[Any, Shard] = {}
    for shard, made in complete:
        waiting[next(turns).label.remote(shard.name, made)] = shard
        while len(waiting) >= pool.AHEAD * num_actors:
            yield from _done(waiting, tick)
    while waiting:
        yield from _done(waiting, tick)


def _done(
    waiting: dict[Any, Shard], tick: Callable[[], None]
) -> Iterator[tuple[Shard, dict[int, RowOrError]]]:
    """Wait for labelled shards; yield each and remove it from `waiting`."""
    for reference in _ready(waiting, tick):
        yield waiting.pop(reference), _value(reference)


class _Labeller:
    """An actor; its network stays in memory after the first shard."""

    def __init__(self, maker: Maker):
        self.maker = maker

    def label(self, name: str, made: dict[int, RowOrError]) -> tuple[Any, Exception | None]:
        return pool.attempt(lambda _: labels.label_shard(self.maker, made, lambda: None), name)


def _make(shared: list[Any], item: Any) -> tuple[Any, Exception | None]:
    """Run one task."""
    import cv2

    cv2.setNumThreads(1)
    return pool.attempt(lambda item: _function(*shared)(item), item)


@lru_cache(maxsize=1)
def _function(reference: Any) -> Callable[[Any], Any]:
    """Fetch the function of `results`, once per process; WorkerError E-RAY-VERSIONS."""
    import ray

    function, wanted = ray.get(reference)
    if versions() != wanted:
        advice = "Install the same versions: others can make other bytes."
        raise WorkerError(
            "E-RAY-VERSIONS", f"a worker on the cluster has {versions()}, not {wanted}. {advice}"
        )
    return function


def _ready(references: Iterable[Any], tick: Callable[[], None]) -> list[Any]:
    """Wait until results exist; return their references, at least one. WorkerError E-WORKER-FROZEN."""
    import ray

    for _ in range(int(pool.PATIENCE_S / pool.TICK_S)):
        tick()
        if ready := ray.wait(list(references), timeout=pool.TICK_S)[0]:
            return ready
    what = f"the cluster gave no result for {pool.PATIENCE_S:.0f} s; it hangs, or all of its CPUs are taken"
    raise WorkerError("E-WORKER-FROZEN", f"{what}. Run the same command again to go on.")


def _value(reference: Any) -> Any:
    """Return the value of pool.attempt in a task, or raise its error."""
    value, error = _fetched(reference)
    if error is not None:
        raise error
    return value


def _fetched(reference: Any) -> Any:
    """Return the result of a task or an actor; WorkerError E-WORKER-DIED when there is none."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        what = f"workers on the cluster died or could not start: {' '.join(str(error).split())[:300]}"
        raise WorkerError("E-WORKER-DIED", f"{what}. Run the same command again to go on.") from error


def _num_gpus() -> int:
    import ray

    return int(ray.cluster_resources().get("GPU", 0))
