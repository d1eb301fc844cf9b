"""The commands that make data sets and look at them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from mdeas.commands.choices import (
    EngineName,
    Folder,
    Model,
    NonNegativeInt,
    Overrides,
    PairMode,
    Pixels,
    PositiveInt,
    Split,
)
from mdeas.commands.parser import print_facts
from mdeas.commands.recipe_fields import configured
from mdeas.errors import InputError

if TYPE_CHECKING:
    from mdeas.create.factory.engine import Engine
    from mdeas.create.factory.options import BuildOptions
    from mdeas.create.maker import Maker

Address = Annotated[str, "HOST:PORT"]


def create_scenes(
    *,
    out: Folder,
    count: PositiveInt,
    size: Pixels = 224,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    engine: EngineName = "local",
    address: Address | None = None,
    cutouts: Folder | None = None,
    textures: Folder | None = None,
    assets: Folder | None = None,
    overrides: Overrides = [],  # noqa: B006 (never changed; the parser reads it)
    skip_bad: bool = False,
    force: bool = False,
) -> None:
    """Render scenes with exact masks and metric depth.

    out: folder of the new data set
    count: number of samples
    size: height and width in pixels
    seed: seed of the random draws; the same recipe and seed give the same data set
    workers: number of processes; the data set is the same for any number
    engine: processes of this machine, or a Ray cluster; the data set is the same
    address: address of a Ray cluster, or auto; without it Ray is started for this run
    cutouts: folder of RGBA cut-outs that stand upright in some scenes
    textures: folder of photos that cover some surfaces
    assets: folder of GLB meshes, used as furniture and as foregrounds
    overrides: set another field of the recipe; may be repeated; an unknown field lists them all
    skip_bad: leave out pictures that cannot be used, list them in errors.jsonl, and exit with code 3
    force: replace an existing data set
    """
    from mdeas.create.factory.options import BuildOptions
    from mdeas.create.scenes.maker import ScenesMaker
    from mdeas.create.scenes.recipe import ScenesRecipe

    fields = {"count": count, "size": size, "cutouts": cutouts, "textures": textures, "assets": assets}
    maker = ScenesMaker(configured(ScenesRecipe, fields, overrides), seed, skip_bad)
    _build(
        maker,
        BuildOptions(
            out=out, workers=workers, engine=engine, address=address, force=force, skip_bad=skip_bad
        ),
    )


def create_photos(
    recipe: str = "drawn",
    *,
    out: Folder,
    backgrounds: Folder,
    foregrounds: Folder,
    count: PositiveInt | None = None,
    size: Pixels | None = None,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    engine: EngineName = "local",
    address: Address | None = None,
    overrides: Overrides = [],  # noqa: B006
    skip_bad: bool = False,
    force: bool = False,
) -> None:
    """Compose RGBA cut-outs on photos.

    recipe: YAML file, or the name of a recipe in the package: drawn, standing, system-1 to system-5
    out: folder of the new data set
    backgrounds: folder of photos
    foregrounds: folder of RGBA cut-outs
    count: number of samples; may be left out for system-1 to system-5, which then make every combination
    size: height and width in pixels; without it the recipe decides
    seed: seed of the random draws; the same recipe and seed give the same data set
    workers: number of processes; the data set is the same for any number
    engine: processes of this machine, or a Ray cluster; the data set is the same
    address: address of a Ray cluster, or auto; without it Ray is started for this run
    overrides: set another field of the recipe; may be repeated; an unknown field lists them all
    skip_bad: leave out pictures that cannot be used, list them in errors.jsonl, and exit with code 3
    force: replace an existing data set
    """
    from mdeas.create.factory.engine import open_engine
    from mdeas.create.factory.labels import with_teacher
    from mdeas.create.factory.options import BuildOptions
    from mdeas.create.photos.recipe_files import read_recipe

    kind, maker_of, fields = read_recipe(recipe)
    given = {"backgrounds": backgrounds, "foregrounds": foregrounds, "count": count, "size": size}
    fields |= {name: value for name, value in given.items() if value is not None}
    maker = maker_of(configured(kind, fields, overrides), seed, skip_bad)
    for text in maker.warnings():
        print(f"mdeas: warning[W-SPLIT] {text}", file=sys.stderr)
    options = BuildOptions(
        out=out, workers=workers, engine=engine, address=address, force=force, skip_bad=skip_bad
    )
    with open_engine(engine, address=address, workers=workers) as opened:
        _build(with_teacher(maker, opened.label_environment), options, opened)


def create_pairs(*, out: Folder, folder: Folder, skip_bad: bool = False, force: bool = False) -> None:
    """Make a test set of photographed pairs.

    out: folder of the new data set
    folder: has a folder for each pair: image.*, background.*, and if known mask.png, depth.png (millimetres)
    skip_bad: leave out pictures that cannot be used, list them in errors.jsonl, and exit with code 3
    force: replace an existing data set
    """
    from mdeas.create.factory.options import BuildOptions
    from mdeas.create.pairs import PairsMaker

    # These photos are for measurements, so they are stored without loss.
    options = BuildOptions(out=out, force=force, skip_bad=skip_bad, photo_format="png")
    _build(PairsMaker(folder, skip_bad), options)


def create_cutouts(
    *,
    out: Folder,
    images: Folder,
    backgrounds: Folder,
    model: Model | None = None,
    pair: PairMode = "auto",
    split_objects: bool = False,
    force: bool = False,
) -> None:
    """Cut foregrounds out of photos of known backgrounds, for `create photos`.

    out: folder for the RGBA cut-outs; its other files stay
    images: folder of photos with something in them
    backgrounds: folder of photos of the empty scene with the same file names, or of one photo for all
    model: ONNX file, or a model in the package: default (used if none is given) or default-int8
    pair: if the photos do not fit: auto corrects the background, strict refuses, off uses them unchanged
    split_objects: write one file per separate object
    force: replace existing cut-outs
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
    out: Folder,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    engine: EngineName = "local",
    address: Address | None = None,
    overrides: Overrides = [],  # noqa: B006
    skip_bad: bool = False,
    force: bool = False,
) -> None:
    """Make a data set from existing pictures: a table, folders of equal file names, or webdataset tars.

    source: label_data.csv, metadata.jsonl, a tar, or a folder with one of them or with background, image, ...
    out: folder of the new data set
    seed: seed of the random splits that --set split=rows makes
    workers: number of processes; the data set is the same for any number
    engine: processes of this machine, or a Ray cluster; the data set is the same
    address: address of a Ray cluster, or auto; without it Ray is started for this run
    overrides: set a field of the recipe, such as split=rows or depth_scale=0.001; may be repeated
    skip_bad: leave out pictures that cannot be used, list them in errors.jsonl, and exit with code 3
    force: replace an existing data set
    """
    from mdeas.create.factory.options import BuildOptions
    from mdeas.create.imports.maker import ImportMaker
    from mdeas.create.imports.recipe import ImportRecipe
    from mdeas.create.imports.sources import read_source

    maker = ImportMaker(read_source(source), configured(ImportRecipe, {}, overrides), seed)
    for text in maker.warnings():
        print(f"mdeas: warning[W-IMPORT] {text}", file=sys.stderr)
    options = BuildOptions(
        out=out,
        workers=workers,
        engine=engine,
        address=address,
        force=force,
        skip_bad=skip_bad,
        photo_format="png",  # a second lossy encoding would add its own error
    )
    _build(maker, options)


def export_data(
    dataset: str,
    *,
    out: Folder,
    form: Literal["folder", "webdataset"] = "folder",
    split: Split | None = None,
) -> None:
    """Write a data set as pictures with a table, or as webdataset tars.

    dataset: folder of a data set
    out: new folder; the same command resumes an interrupted export
    form: folder: pictures and label_data.csv. webdataset: tars of 1,000 samples
    split: part of the data set; without it all of it
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
    dataset: str, *, out: Folder | None = None, limit: PositiveInt | None = None, force: bool = False
) -> None:
    """Print counts, means and standard deviations of a data set; write a report with pictures.

    dataset: folder of a data set
    out: write report.md, distributions, contact sheets, the most similar pairs of two splits to this folder
    limit: read this many samples, evenly spread, instead of all
    force: replace an existing report
    """
    from mdeas.dataset.show.report import REPORT, show

    print(show(dataset, out, limit=limit, force=force))
    if out:
        print(Path(out) / REPORT)


def _build(maker: "Maker", options: "BuildOptions", engine: "Engine | None" = None) -> None:
    """Make the data set and print its facts; InputError E-SOME-FAILED when something was left out."""
    from mdeas.create.factory.build import build
    from mdeas.system.failures import ERRORS
    from mdeas.system.files import quoted

    facts = build(maker, options, engine)
    print_facts(facts)
    if "samples left out" in facts:
        samples, sources = facts["samples left out"], facts["sources left out"]
        left_out = f"{samples} samples and {sources} sources were left out"
        raise InputError("E-SOME-FAILED", f"{left_out}, see {quoted(Path(options.out) / ERRORS)}.")
