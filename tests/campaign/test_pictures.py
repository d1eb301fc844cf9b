"""Damaged pictures on their way into a data set: each ends as a sample or as one recorded error."""

import json
import shutil
import sys
import time
from pathlib import Path

import pytest
from mutate import damaged_pictures, formats
from tally import cases
from world import create_photos, cutout, folders, photo, start_command

from mdeas.create.factory.shards import RowMaker
from mdeas.create.pairs import PairsMaker
from mdeas.dataset.dataset import Dataset, read_index, verify
from mdeas.errors import InputError
from mdeas.images.codec import write_png
from mdeas.system.failures import ERRORS

NUM_PICTURES = cases(120, 1020)
MEMORY_BYTES = 3 * 2**30
MOST_CPU_S = 2.0
CORPUS = Path(__file__).parents[1] / "corpus" / "pictures"


def as_pairs(root, pictures):
    """A folder with one pair per (name, bytes); the background of each is whole."""
    write_png(root / "whole.png", photo(0, 40))
    for name, data in pictures:
        (root / "pairs" / name).mkdir(parents=True)
        (root / "pairs" / name / f"image{Path(name).suffix}").write_bytes(data)
        shutil.copy(root / "whole.png", root / "pairs" / name / "background.png")
    return root / "pairs"


def corpus():
    """Files that once went wrong."""
    return [(path.name, path.read_bytes()) for path in sorted(CORPUS.glob("*"))]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    pictures = [*damaged_pictures(cutout(1), NUM_PICTURES, "pairs"), *corpus()]
    return as_pairs(tmp_path_factory.mktemp("damaged"), pictures)


def errors_of(out):
    return [json.loads(line) for line in (out / ERRORS).read_text().splitlines()]


def test_each_becomes_a_sample_or_a_line(row, pairs, tmp_path):
    """The whole command, with a worker process, under a limit of memory."""
    program = [sys.executable, str(Path(__file__).with_name("under_limits.py")), str(MEMORY_BYTES)]
    words = ["create", "pairs", "--folder", str(pairs), "-o", str(tmp_path / "out"), "--skip-bad"]
    process = start_command([*program, *words])
    text = process.communicate(timeout=600)[0]
    assert process.returncode == 3, text
    assert "E-SOME-FAILED" in text and "Traceback" not in text
    verify(tmp_path / "out")
    errors = {error["index"]: error for error in errors_of(tmp_path / "out")}
    samples = {sample.meta["index"] for sample in Dataset(tmp_path / "out")}
    maker = PairsMaker(pairs)
    with row("pictures: six formats damaged, through `create pairs`, 3 GB") as tally:
        for index, pair in enumerate(maker.pairs):
            with tally.case(pair.id):
                assert (index in samples) != (index in errors)
                assert index in samples or errors[index]["code"].startswith(("E-IMG-", "E-PAIR-"))


def test_each_takes_at_most_two_seconds(row, pairs):
    maker = PairsMaker(pairs)
    rows = RowMaker(maker, "png", skip_bad=True)
    with row("pictures: six formats damaged, within 2 s of processor time") as tally:
        for index, pair in enumerate(maker.pairs):
            with tally.case(pair.id):
                begun = time.process_time()
                made = rows(index)
                spent_s = time.process_time() - begun
                assert spent_s < MOST_CPU_S, f"{spent_s:.1f} s"
                assert isinstance(made, (dict, InputError))


def test_as_backgrounds_and_cutouts(row, tmp_path):
    """The pools leave out what cannot be used, and the samples are made of the rest."""
    backgrounds, foregrounds = folders(tmp_path)
    for folder in (backgrounds, foregrounds):
        for name, data in damaged_pictures(cutout(1), NUM_PICTURES // 4, folder.name):
            (folder / name).write_bytes(data)
    assert create_photos(tmp_path / "out", backgrounds, foregrounds, "--skip-bad") == 3
    verify(tmp_path / "out")
    index, errors = read_index(tmp_path / "out"), errors_of(tmp_path / "out")
    used = {(source["kind"], source["name"]) for source in index["provenance"]}
    left_out = {(error["kind"], error["name"]) for error in errors}
    assert index["left_out"] == {"samples": {}, "sources": len(errors)} and index["count"] == 6
    with row("pictures: damaged photos and cut-outs, through `create photos`") as tally:
        for kind, folder in (("background", backgrounds), ("foreground", foregrounds)):
            for path in folder.iterdir():
                with tally.case(path.name):
                    assert ((kind, path.name) in used) != ((kind, path.name) in left_out)


def test_without_skip_bad_the_first_one_ends_it(tmp_path, capsys):
    backgrounds, foregrounds = folders(tmp_path)
    for path in foregrounds.iterdir():
        path.write_bytes(formats(cutout(1))[".png"][:-30])
    assert create_photos(tmp_path / "out", backgrounds, foregrounds) == 3
    assert "error[E-IMG-TRUNCATED]" in capsys.readouterr().err
    assert create_photos(tmp_path / "out", backgrounds, foregrounds, "--skip-bad") == 3
    assert "none of its 2 pictures can be used" in capsys.readouterr().err
