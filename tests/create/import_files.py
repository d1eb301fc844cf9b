"""Small pictures, tables and tars to import, and makers of them."""

import csv
import io
import tarfile

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from mdeas.create.imports.maker import ImportMaker
from mdeas.create.imports.recipe import ImportRecipe
from mdeas.create.imports.sources import read_source
from mdeas.errors import InputError
from mdeas.images.codec import encode_jpeg, encode_png

HEIGHT, WIDTH = 6, 9
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


def photo(value):
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)


def levels(dtype, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (HEIGHT, WIDTH), dtype, endpoint=True)


def pictures(seed=0):
    """File contents by name: photos as JPEG, mask PNG-8, depth PNG-16."""
    return {
        "background.jpg": encode_jpeg(photo(20 + seed)),
        "image.jpg": encode_jpeg(photo(200 - seed)),
        "mask.png": encode_png(levels(np.uint8, seed)),
        "depth.png": encode_png(levels(np.uint16, seed)),
    }


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_csv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def table(folder, num=1, **columns):
    """Write a label_data.csv of `num` rows with our column names, and its pictures."""
    rows = []
    for index in range(num):
        row = {}
        for name, data in pictures(index).items():
            put(folder / f"{index}-{name}", data)
            row[name.partition(".")[0]] = f"{index}-{name}"
        rows.append(row | {key: value[index] for key, value in columns.items()})
    return write_csv(folder / "label_data.csv", rows)


def write_tar(path, members):
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def maker(source, seed=0, **recipe):
    return ImportMaker(read_source(source), ImportRecipe(**{"split": "rows", **recipe}), seed)


def fails(source, match, code="E-IMPORT", **recipe):
    with pytest.raises(InputError, match=match) as caught:
        made = maker(source, **recipe)
        for index in range(made.count):
            made.make(index)
    assert caught.value.code == code
