"""Unusual pictures, foreign files and odd names on their way through `mdeas create`."""

import json
import os

import numpy as np
import pytest
from odd import CUTOUTS, FOREIGN, PHOTOS, USED, stored
from tally import FULL
from world import create_photos, cutout, folders, mdeas, photo

from mdeas.dataset.dataset import Dataset, read_index, verify
from mdeas.images import codec
from mdeas.images.codec import encode_png
from mdeas.system.failures import ERRORS


def write(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)


def create(root, backgrounds, foregrounds, num_bad):
    """Make a set of them; return {(kind, name): code or None} of every file that was told of."""
    out = root / "out"
    assert create_photos(out, backgrounds, foregrounds, "--skip-bad", count=40) == (3 if num_bad else 0)
    assert verify(out)["samples"] == 40
    lines = (out / ERRORS).read_text().splitlines() if num_bad else []
    outcome = {(line["kind"], line["name"]): line["code"] for line in map(json.loads, lines)}
    return outcome | {(row["kind"], row["name"]): None for row in read_index(out)["provenance"]}


@pytest.mark.parametrize(("kind", "files"), [("background", PHOTOS), ("foreground", CUTOUTS)])
def test_documented_results(row, tmp_path, kind, files):
    backgrounds, foregrounds = folders(tmp_path)
    write(backgrounds if kind == "background" else foregrounds, {n: data for n, (data, _) in files.items()})
    outcome = create(tmp_path, backgrounds, foregrounds, num_bad=1)
    with row(f"pictures: unusual ones as {kind}s, the documented result of each") as tally:
        for name, (_, code) in files.items():
            with tally.case(name):
                assert outcome[kind, name] == code


def test_foreign_files_and_bombs_are_refused_before_decoding(row, tmp_path, monkeypatch):
    backgrounds, foregrounds = folders(tmp_path)
    names = {path.name for path in backgrounds.iterdir()}
    write(backgrounds, FOREIGN)
    decoded, decode = [], codec._decode_stored
    monkeypatch.setattr(
        codec, "_decode_stored", lambda data, name: decoded.append(name) or decode(data, name)
    )
    outcome = create(tmp_path, backgrounds, foregrounds, num_bad=1)
    with row("pictures: EPS, PDF, SVG, PSD, HTML, 0 bytes, bombs: not decoded") as tally:
        for name in FOREIGN:
            with tally.case(name):
                assert outcome["background", name] in {"E-IMG-FORMAT", "E-IMG-SIZE", "E-IMG-TRUNCATED"}
                assert not any(name in told for told in decoded)
    assert all(outcome["background", name] is USED for name in names)


@pytest.mark.skipif(not FULL, reason="144 megapixels")
def test_a_very_large_photo(row, tmp_path):
    backgrounds, foregrounds = folders(tmp_path, num_photos=1)
    with row("pictures: 12,000 × 12,000") as tally, tally.case("jpeg"):
        (backgrounds / "large.jpg").write_bytes(stored(np.zeros((12_000, 12_000, 3), np.uint8), "JPEG"))
        assert create(tmp_path, backgrounds, foregrounds, num_bad=0)["background", "large.jpg"] is USED


NAMES = [
    *("\u00e9.png", "e\u0301.png", "😀.png", "שלום.png", "a'b\"c.png", "new\nline.png", "-o.png"),
    *("--help.png", "A.png", "a.png", "a.jpg", "x" * 251 + ".png", "a b.png", "$(touch x).png", "%s.png"),
    *("a;b.png", os.fsdecode(b"\xff\xfe.png"), "CON.png", "a\\b.png", "\u202egnp.png", "*.png"),
    *("a.png.png", "\x01.png"),
]


def test_odd_names_of_photos_and_cutouts(row, tmp_path):
    backgrounds, foregrounds = folders(tmp_path)
    for k, name in enumerate(NAMES):
        (backgrounds / name).write_bytes(encode_png(photo(200 + k, 16)))
        (foregrounds / name).write_bytes(encode_png(cutout(300 + k, 16)))
    outcome = create(tmp_path, backgrounds, foregrounds, num_bad=0)
    with row("names: as photos and cut-outs") as tally:
        for name in NAMES:
            with tally.case(repr(name)[:40]):
                assert outcome["background", name] is USED
                assert outcome["foreground", name] is USED


def test_odd_names_of_pairs(row, tmp_path):
    folders_of_pairs = [*NAMES, "b/c", "b--c", "b--c-2"]
    for k, name in enumerate(folders_of_pairs):
        (tmp_path / "pairs" / name).mkdir(parents=True)
        (tmp_path / "pairs" / name / "image.png").write_bytes(encode_png(photo(k, 16)))
    assert mdeas("create", "pairs", "--folder", tmp_path / "pairs", "-o", tmp_path / "out") == 0
    assert verify(tmp_path / "out")["samples"] == len(folders_of_pairs)
    images_made = [sample.image for sample in Dataset(tmp_path / "out")]
    with row("names: as pairs") as tally:
        for k, name in enumerate(folders_of_pairs):
            with tally.case(repr(name)[:40]):
                assert any(np.array_equal(image, photo(k, 16)) for image in images_made)


def no_regular_files(folder):
    """Things that must not be waited for or read without an end."""
    os.mkfifo(folder / "fifo.png")
    os.symlink("loop.png", folder / "loop.png")
    os.symlink("/dev/zero", folder / "device.png")
    os.symlink("nowhere.png", folder / "dangling.png")
    os.symlink(folder, folder / "folder-link.png")
    (folder / "folder.png").mkdir()
    unreadable = folder / "unreadable.png"
    unreadable.write_bytes(encode_png(photo(9, 16)))
    unreadable.chmod(0)
    return [path.name for path in folder.iterdir() if not path.name.startswith("good")]


@pytest.mark.parametrize("kind", ["background", "foreground"])
def test_what_is_no_readable_file(row, tmp_path, kind):
    backgrounds, foregrounds = folders(tmp_path)
    names = no_regular_files(backgrounds if kind == "background" else foregrounds)
    outcome = create(tmp_path, backgrounds, foregrounds, num_bad=1)
    with row(f"names: loops, FIFOs, devices, unreadable ones as {kind}s") as tally:
        for name in names:
            with tally.case(name):
                readable = name == "unreadable.png" and os.geteuid() == 0 and kind == "background"
                assert bool(outcome[kind, name]) != readable


def test_pairs_that_are_no_readable_files(row, tmp_path):
    write_pair = tmp_path / "pairs" / "good"
    write_pair.mkdir(parents=True)
    (write_pair / "image.png").write_bytes(encode_png(photo(1, 16)))
    aside = tmp_path / "aside"
    aside.mkdir()
    names = [name for name in no_regular_files(aside) if "folder" not in name]
    for name in names:
        (tmp_path / "pairs" / name).mkdir()
        (aside / name).rename(tmp_path / "pairs" / name / "image.png")
    (tmp_path / "pairs" / "two").mkdir()
    for ending in ("png", "bmp"):
        (tmp_path / "pairs" / "two" / f"image.{ending}").write_bytes(encode_png(photo(1, 16)))
    words = ("create", "pairs", "--folder", tmp_path / "pairs", "-o", tmp_path / "out", "--skip-bad")
    assert mdeas(*words) == 3
    lines = map(json.loads, (tmp_path / "out" / ERRORS).read_text().splitlines())
    told = {line["name"]: line["code"] for line in lines}
    ids = Dataset(tmp_path / "out").ids()
    with row("names: loops, FIFOs, devices, unreadable ones as pairs") as tally:
        for name in names:
            with tally.case(name):
                assert (name in told) != (name in ids)
        with tally.case("image.png beside image.bmp"):
            assert told["two"] == "E-PAIR-FILES"
