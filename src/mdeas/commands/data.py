"""The commands that make data sets and look at them; see cli.py."""

import sys
from pathlib import Path
from typing import Any, Literal

from jsonargparse.typing import NonNegativeInt, PositiveInt

from mdeas.commands.choices import Pair
from mdeas.commands.parser import configured, print_facts
from mdeas.errors import InputError


def create_scenes(
    *,
    out: str,
    count: PositiveInt,
    size: PositiveInt = 224,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    cutouts: str | None = None,
    textures: str | None = None,
    assets: str | None = None,
    overrides: list[str] = [],  # noqa: B006 (never changed; the parser shows it)
    skip_bad: bool = False,
    force: bool = False,
) -> None:
    """Render scenes with exact mask and metric depth.

    out: folder of the new data set
    count: number of samples
    size: height and width in pixels
    seed: sample i depends on the recipe, the seed and i alone
    workers: processes; the bytes are the same for any number
    engine: local processes, or a Ray cluster; the bytes are the same
    address: HOST:PORT of a Ray cluster, or auto; without it Ray is started here, for this run
    cutouts: folder of RGBA cut-outs that stand in some scenes as billboards
    textures: folder of photos that cover some surfaces
    assets: folder of GLB meshes that furnish the scenes and are added to them
    overrides: another field of the recipe, as FIELD=VALUE; may be repeated
    skip_bad: go on without pictures that cannot be used; they are listed in errors.jsonl, the exit code is 3
    force: replace a data set that is there
    """
    from mdeas.create.factory.engine import ENGINES
    from mdeas.create.scenes.maker import ScenesMaker, ScenesRecipe

    fields = {"count": count, "size": size, "cutouts": cutouts, "textures": textures, "assets": assets}
    maker = ScenesMaker(configured(ScenesRecipe, fields, overrides), seed, skip_bad)
    with ENGINES[engine](address, workers) as place:
        _build(maker, out, workers, place, force, skip_bad)


def create_photos(
    recipe: str = "drawn",
    *,
    out: str,
    backgrounds: str,
    foregrounds: str,
    count: PositiveInt | None = None,
    size: PositiveInt | None = None,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    overrides: list[str] = [],  # noqa: B006
    skip_bad: bool = False,
    force: bool = False,
) -> None:
    """Compose RGBA cut-outs on photographs.

    recipe: YAML file, or the name of a recipe in the package: drawn, standing, system-1 to system-5
    out: folder of the new data set
    backgrounds: folder of photographs
    foregrounds: folder of RGBA cut-outs
    count: number of samples; system-1 to system-5 make all there are without it
    size: height and width in pixels, if not the recipe's
    seed: sample i depends on the recipe, the seed and i alone
    workers: processes; the bytes are the same for any number
    engine: local processes, or a Ray cluster; the bytes are the same
    address: HOST:PORT of a Ray cluster, or auto; without it Ray is started here, for this run
    overrides: another field of the recipe, as FIELD=VALUE; may be repeated
    skip_bad: go on without pictures that cannot be used; they are listed in errors.jsonl, the exit code is 3
    force: replace a data set that is there
    """
    from mdeas.create.factory.engine import ENGINES
    from mdeas.create.factory.labels import with_teacher
    from mdeas.create.photos.recipe_files import read_recipe

    kind, maker_of, fields = read_recipe(recipe)
    given = {"backgrounds": backgrounds, "foregrounds": foregrounds, "count": count, "size": size}
    fields |= {name: value for name, value in given.items() if value is not None}
    maker = maker_of(configured(kind, fields, overrides), seed, skip_bad)
    for text in maker.warnings():
        print(f"mdeas: warning[W-SPLIT] {text}", file=sys.stderr)
    with ENGINES[engine](address, workers) as place:
        _build(with_teacher(maker, place.how_labelled), out, workers, place, force, skip_bad)


def create_pairs(*, out: str, folder: str, skip_bad: bool = False, force: bool = False) -> None:
    """Make a test set of pairs that were photographed.

    out: folder of the new data set
    folder: one folder per pair: background.*, image.*, and mask.png and depth.png (millimetres) if known
    skip_bad: go on without pictures that cannot be used; they are listed in errors.jsonl, the exit code is 3
    force: replace a data set that is there
    """
    from mdeas.create.factory.engine import LOCAL
    from mdeas.create.pairs import PairsMaker

    # Photographs are measured, not trained on: kept without loss.
    _build(PairsMaker(folder, skip_bad), out, 1, LOCAL, force, skip_bad, photo_format="png")


def create_cutouts(
    *,
    out: str,
    images: str,
    backgrounds: str,
    model: str | None = None,
    pair: Pair = "auto",
    split_objects: bool = False,
    force: bool = False,
) -> None:
    """Cut foregrounds out of photos of known backgrounds, for `create photos`.

    out: folder for the RGBA cut-outs; what is there stays
    images: folder of photos with something in them
    backgrounds: folder of the same views with nothing in them, of the same names; or of one for all
    model: ONNX file or a model of the package: default, default-int8
    pair: where the photos do not fit: auto mends the background, strict refuses, off takes them as they are
    split_objects: a file for each thing that stands apart
    force: replace cut-outs that are there
    """
    from mdeas.create.cutouts import cutout_files
    from mdeas.runtime.choice import ModelChoice

    cutout_files(
        Path(images),
        Path(backgrounds),
        Path(out),
        model=ModelChoice(model=model),
        pair=pair,
        split_objects=split_objects,
        force=force,
        tell=print,
    )


def import_data(
    source: str,
    *,
    out: str,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    overrides: list[str] = [],  # noqa: B006
    skip_bad: bool = False,
    force: bool = False,
) -> None:
    """Make a data set of pictures that you have: a table, folders of equal names, or webdataset tars.

    source: label_data.csv, metadata.jsonl, a tar, or a folder with one of them or with bg, fg_bg, ...
    out: folder of the new data set
    seed: of split=rows
    workers: processes; the bytes are the same for any number
    engine: local processes, or a Ray cluster; the bytes are the same
    address: HOST:PORT of a Ray cluster, or auto; without it Ray is started here, for this run
    overrides: a field of the recipe, such as split=rows or depth_scale=0.001; may be repeated
    skip_bad: go on without pictures that cannot be used; they are listed in errors.jsonl, the exit code is 3
    force: replace a data set that is there
    """
    from mdeas.create.factory.engine import ENGINES
    from mdeas.create.imports.maker import ImportMaker
    from mdeas.create.imports.recipe import ImportRecipe
    from mdeas.create.imports.sources import read_source

    maker = ImportMaker(read_source(source), configured(ImportRecipe, {}, overrides), seed)
    for text in maker.warnings():
        print(f"mdeas: warning[W-IMPORT] {text}", file=sys.stderr)
    with ENGINES[engine](address, workers) as place:
        # What must be encoded was lossless or lost enough already.
        _build(maker, out, workers, place, force, skip_bad, photo_format="png")


def export_data(
    dataset: str,
    *,
    out: str,
    form: Literal["folder", "webdataset"] = "folder",
    split: Literal["train", "validation", "test"] | None = None,
) -> None:
    """Write a data set as pictures with a table, or as webdataset tars.

    dataset: folder of a data set
    out: new folder; one that was interrupted is finished
    form: folder: label_data.csv and pictures. webdataset: tars of 1,000 samples
    split: part of the data set; all of it without
    """
    from mdeas.dataset.plain_files import export_data as write

    print_facts(write(Path(dataset), Path(out), form=form, split=split))


def verify(dataset: str) -> None:
    """Check every shard and every sample of a data set.

    dataset: folder of a data set
    """
    from mdeas.dataset.dataset import verify as verify_dataset

    print_facts(verify_dataset(dataset))


def show(
    dataset: str, *, out: str | None = None, limit: PositiveInt | None = None, force: bool = False
) -> None:
    """Print counts, means and deviations of a data set; write a report with pictures.

    dataset: folder of a data set
    out: folder for report.md, distributions, contact sheets and the nearest pairs of two splits
    limit: look at so many samples, evenly spread, instead of all
    force: replace a report that is there
    """
    from mdeas.dataset.show.report import REPORT, show

    print(show(dataset, out, limit=limit, force=force))
    if out:
        print(Path(out) / REPORT)


def _build(
    maker: Any, out: str, workers: int, engine: Any, force: bool, skip_bad: bool, photo_format: str = "jpeg"
) -> None:
    """Make, tell, and end with exit code 3 when something was left out."""
    from mdeas.create.factory.build import build
    from mdeas.system.failures import ERRORS
    from mdeas.system.files import quoted

    options: dict[str, Any] = {"photo_format": photo_format, "skip_bad": skip_bad, "left_out": maker.left_out}
    facts = build(maker, Path(out), workers=workers, engine=engine, force=force, **options)
    print_facts(facts)
    if "samples left out" in facts:
        left_out = (
            f"{facts['samples left out']} samples and {facts['sources left out']} sources were left out"
        )
        raise InputError("E-SOME-FAILED", f"{left_out}, see {quoted(Path(out) / ERRORS)}.")
