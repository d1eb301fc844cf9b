"""Engines: Ray makes the same bytes as local processes, and open clusters are refused."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import pytest
from slow_maker import SlowMaker
from tiny_teacher import save_network, save_pictures

from mdeas.cli import main
from mdeas.create.depth.model import find_model
from mdeas.create.factory import labels, pool, ray_cluster, ray_engine
from mdeas.create.factory.build import build
from mdeas.create.factory.engine import open_engine
from mdeas.create.factory.options import BuildOptions
from mdeas.create.factory.plan import Shard
from mdeas.create.photos.maker import PhotosMaker
from mdeas.create.photos.recipe import PhotosRecipe
from mdeas.dataset.rows import encode_row
from mdeas.errors import InputError, Stopped, WorkerError
from mdeas.system.optional import install_command

TESTS = Path(__file__).parents[2]
SCENES = ("create", "scenes", "--count=5", "--size=32")


@pytest.fixture(scope="module")
def ray():
    """The engine on a Ray cluster of 2 CPUs, whose workers can import this file."""
    paths = os.pathsep.join(filter(None, [str(TESTS), str(TESTS / "create"), os.environ.get("PYTHONPATH")]))
    with mock.patch.dict(os.environ, {"PYTHONPATH": paths}), open_engine("ray", workers=2) as engine:
        yield engine


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def no_tick():
    pass


def test_the_bytes_are_those_of_local_processes(ray, tmp_path):
    maker = SlowMaker(bad=(3,))
    build(maker, BuildOptions(out=tmp_path / "ray", workers=2, shard_rows=6, skip_bad=True), ray)
    build(maker, BuildOptions(out=tmp_path / "local", workers=1, shard_rows=6, skip_bad=True))
    assert tree(tmp_path / "ray") == tree(tmp_path / "local")


def test_an_error_of_the_maker_arrives_with_its_code(ray, tmp_path):
    with pytest.raises(InputError, match="sample 3") as caught:
        build(SlowMaker(bad=(3,)), BuildOptions(out=tmp_path / "set", workers=2, shard_rows=6), ray)
    assert caught.value.code == "E-TEST"


def die_first(marker):
    """Kill the process that runs this, unless one was killed before."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return marker.name


def die(_item):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_replaced_but_not_for_ever(ray, tmp_path, monkeypatch):
    marker = tmp_path / "killed"
    assert list(ray.results(die_first, [marker], workers=1, tick=no_tick)) == [(marker, "killed")]
    monkeypatch.setattr(pool, "MAX_DEATHS", 0)
    with pytest.raises(WorkerError) as caught:
        list(ray.results(die, [0], workers=2, tick=no_tick))
    assert caught.value.code == "E-WORKER-DIED" and "\n" not in str(caught.value)


def test_a_cluster_that_hangs_is_told(ray, monkeypatch):
    monkeypatch.setattr(pool, "PATIENCE_S", 0.5)
    with pytest.raises(WorkerError) as caught:
        list(ray.results(time.sleep, [2.0], workers=1, tick=no_tick))
    assert caught.value.code == "E-WORKER-FROZEN"


def test_other_versions_on_a_worker_are_refused(ray, monkeypatch):
    monkeypatch.setattr(ray_engine, "versions", lambda: {"numpy": "0.1"})
    with pytest.raises(WorkerError) as caught:
        list(ray.results(str, [0], workers=1, tick=no_tick))
    assert caught.value.code == "E-RAY-VERSIONS" and "'numpy': '0.1'" in str(caught.value)


def test_sigterm_stops_it_and_it_goes_on_where_it_was(ray, tmp_path):
    """`ray.init` replaces our signal handler; it must be restored."""
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    with pytest.raises(Stopped) as caught:
        build(SlowMaker(delay_s=0.2), BuildOptions(out=tmp_path / "set", workers=2, shard_rows=6), ray)
    assert caught.value.exit_code == 143
    build(SlowMaker(), BuildOptions(out=tmp_path / "set", workers=2, shard_rows=6), ray)
    build(SlowMaker(), BuildOptions(out=tmp_path / "local", workers=1, shard_rows=6))
    assert tree(tmp_path / "set") == tree(tmp_path / "local")


def test_labels_of_actors_are_those_of_this_process(ray, tmp_path, one_thread):
    """Labels as on GPUs, here on CPUs."""
    recipe = PhotosRecipe(**save_pictures(tmp_path), count=4, size=32, split="rows", teacher="composite")
    model = find_model(str(save_network(tmp_path / "network")))
    maker = labels.LabelledMaker(PhotosMaker(recipe, 0), model, {})
    rows = {index: encode_row(maker.make(index)) for index in range(4)}
    bad = InputError("E-TEST", "left out.")
    whole = [
        (Shard(name=name, split="train", indices=tuple(made)), made)
        for name, made in (("a", {0: rows[0], 1: rows[1]}), ("b", {2: rows[2], 9: bad}), ("c", {3: rows[3]}))
    ]
    here = {shard.name: made for shard, made in labels.labelled(maker, whole, no_tick)}
    there = ray_engine.labelled_by_actors(maker, whole, no_tick, num_actors=1, gpus_each=0)
    there = {shard.name: made for shard, made in there}
    assert there["b"].pop(9).code == here["b"].pop(9).code
    assert there == here and here["a"][0]["depth"]


def gcs_address():
    import ray

    return ray.get_runtime_context().gcs_address


def test_it_listens_to_this_machine_alone(ray):
    import ray as module

    assert gcs_address().startswith("127.0.0.1:")
    assert [node["NodeManagerAddress"] for node in module.nodes()] == ["127.0.0.1"]


def test_the_command_uses_a_cluster_that_wants_a_token(ray, tmp_path):
    command = [sys.executable, "-m", "mdeas", *SCENES, f"--out={tmp_path / 'ray'}", "--engine=ray"]
    done = subprocess.run([*command, "--address", gcs_address()], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert main([*SCENES, f"--out={tmp_path / 'local'}"]) == 0
    assert tree(tmp_path / "ray") == tree(tmp_path / "local")


def refused(tmp_path, capsys, *words):
    """Return (exit code, stderr) of a command that must not make anything."""
    code = main([*SCENES, f"--out={tmp_path / 'set'}", *words])
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and not (tmp_path / "set").exists()
    return code, told


def test_an_open_cluster_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setattr(ray_cluster, "_answers_anyone", lambda address: True)
    code, told = refused(tmp_path, capsys, "--engine=ray", "--address=10.0.0.1:6379")
    assert code == 2 and "E-RAY-OPEN" in told and "RAY_AUTH_MODE=disabled" in told


def test_an_address_without_ray_is_refused(tmp_path, capsys):
    code, told = refused(tmp_path, capsys, "--address=auto")
    assert code == 2 and "--address 'auto' needs --engine ray (got local)." in told


def test_without_ray_it_is_told_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, told = refused(tmp_path, capsys, "--engine=ray")
    assert code == 2 and f"--engine ray needs ray. Run: {install_command('ray')}" in told
