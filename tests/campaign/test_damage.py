"""A finished data set that is damaged in any way is noticed by `mdeas verify` and by the loader."""

import json
import random
import shutil

import pytest
from mutate import FILE_DAMAGES
from slow_maker import SlowMaker
from tally import cases
from world import without_processes

from mdeas.create.factory.build import build
from mdeas.create.factory.options import BuildOptions
from mdeas.dataset.dataset import INDEX, Dataset, verify
from mdeas.errors import InputError

NUM_DAMAGES = cases(60, 920)
CODES = {"E-DATASET-DAMAGED", "E-DATASET-MISSING", "E-JSON"}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    out = tmp_path_factory.mktemp("original") / "set"
    with without_processes():
        build(SlowMaker(count=22, size=8, bad=(5,)), BuildOptions(out=out, shard_rows=6, skip_bad=True))
    return out


def load_all(folder):
    """What training does: opens the set and reads every row."""
    return [*Dataset(folder)]


def shard(folder, rng, other=None):
    return rng.choice([path for path in sorted((folder / "data").iterdir()) if path != other])


def damage_shard(folder, rng):
    path = shard(folder, rng)
    change_bytes(path, rng)


def damage_index(folder, rng):
    change_bytes(folder / INDEX, rng)


def change_bytes(path, rng):
    before = data = path.read_bytes()
    while data == before:
        data = rng.choice(FILE_DAMAGES)(before, rng)
    path.write_bytes(data)


def delete(folder, rng):
    shard(folder, rng).unlink()


def swap(folder, rng):
    first = shard(folder, rng)
    second = shard(folder, rng, first)
    first_data, second_data = first.read_bytes(), second.read_bytes()
    first.write_bytes(second_data)
    second.write_bytes(first_data)


def double(folder, rng):
    shutil.copy(shard(folder, rng), folder / "data" / f"train-{rng.randrange(50, 99999):05d}.parquet")


def replace(folder, rng):
    first = shard(folder, rng)
    shutil.copy(shard(folder, rng, first), first)


def rename(folder, rng):
    path = shard(folder, rng)
    path.rename(path.with_name(f"x{path.name}"))


def edit_index(folder, rng):
    """Another value somewhere in it, well formed."""
    index = json.loads((folder / INDEX).read_bytes())
    holder, key = rng.choice(list(places(index)))
    value = holder[key]
    choices = [None, 0, 1, "x", [], {}, float("nan"), True, 10**30]
    holder[key] = rng.choice(
        [choice for choice in choices if type(choice) is not type(value) or choice != value]
    )
    (folder / INDEX).write_text(json.dumps(index, sort_keys=True, indent=1) + "\n")


def respell_index(folder, rng):
    """The same values in another spelling: it was opened and saved."""
    index = json.loads((folder / INDEX).read_bytes())
    (folder / INDEX).write_text(json.dumps(index, indent=rng.choice((None, 2, 4))))


def drop_key(folder, rng):
    index = json.loads((folder / INDEX).read_bytes())
    holder, key = rng.choice(list(places(index)))
    del holder[key]
    (folder / INDEX).write_text(json.dumps(index, sort_keys=True, indent=1) + "\n")


def places(value):
    """(container, key) of everything inside JSON."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from places(inner)


HARMS = (
    damage_shard,
    damage_index,
    delete,
    swap,
    double,
    replace,
    rename,
    edit_index,
    respell_index,
    drop_key,
)


@pytest.mark.parametrize("notice", [verify, load_all])
def test_every_damage_is_noticed(row, tmp_path, original, notice):
    notice(original)
    with row(f"data set damaged, {notice.__name__} notices") as tally:
        for k in range(NUM_DAMAGES):
            rng, harm = random.Random(f"damage {k}"), HARMS[k % len(HARMS)]
            copy = shutil.copytree(original, tmp_path / str(k))
            with tally.case(f"{k} {harm.__name__}"):
                harm(copy, rng)
                with pytest.raises(InputError) as caught:
                    notice(copy)
                assert caught.value.code in CODES, caught.value
            shutil.rmtree(copy)
