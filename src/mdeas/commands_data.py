"""The commands that make data sets and look at them; see cli.py."""

from pathlib import Path
from typing import Any

from jsonargparse.typing import NonNegativeInt, PositiveInt

from mdeas.arguments import configured, print_facts


def create_scenes(
    *,
    out: str,
    count: PositiveInt,
    size: PositiveInt = 224,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    cutouts: str | None = None,
    textures: str | None = None,
    overrides: list[str] = [],  # noqa: B006 (never changed; the parser shows it)
    force: bool = False,
) -> None:
    """Render scenes with exact mask and metric depth.

    out: folder of the new data set
    count: number of samples
    size: height and width in pixels
    seed: sample i depends on the recipe, the seed and i alone
    workers: processes; the bytes are the same for any number
    cutouts: folder of RGBA cut-outs that stand in some scenes as billboards
    textures: folder of photos that cover some surfaces
    overrides: another field of the recipe, as FIELD=VALUE; may be repeated
    force: replace a data set that is there
    """
    from mdeas.create.scenes import ScenesMaker, ScenesRecipe

    fields = {"count": count, "size": size, "cutouts": cutouts, "textures": textures}
    _build(ScenesMaker(configured(ScenesRecipe, fields, overrides), seed), out, workers, force)


def create_photos(
    *,
    out: str,
    backgrounds: str,
    foregrounds: str,
    count: PositiveInt,
    size: PositiveInt = 224,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    overrides: list[str] = [],  # noqa: B006
    force: bool = False,
) -> None:
    """Compose RGBA cut-outs on photographs.

    out: folder of the new data set
    backgrounds: folder of photographs
    foregrounds: folder of RGBA cut-outs
    count: number of samples
    size: height and width in pixels
    seed: sample i depends on the recipe, the seed and i alone
    workers: processes; the bytes are the same for any number
    overrides: another field of the recipe, as FIELD=VALUE; may be repeated
    force: replace a data set that is there
    """
    from mdeas.create.composite import PhotosMaker, PhotosRecipe

    fields = {"backgrounds": backgrounds, "foregrounds": foregrounds, "count": count, "size": size}
    _build(PhotosMaker(configured(PhotosRecipe, fields, overrides), seed), out, workers, force)


def create_pairs(*, out: str, folder: str, force: bool = False) -> None:
    """Make a test set of pairs that were photographed.

    out: folder of the new data set
    folder: one folder per pair: background.*, image.*, and mask.png and depth.png (millimetres) if known
    force: replace a data set that is there
    """
    from mdeas.create.pairs import PairsMaker

    # Photographs are measured, not trained on: kept without loss.
    _build(PairsMaker(folder), out, 1, force, photo_format="png")


def verify(dataset: str) -> None:
    """Check every shard and every sample of a data set.

    dataset: folder of a data set
    """
    from mdeas.dataset import verify as verify_dataset

    print_facts(verify_dataset(dataset))


def show(dataset: str, *, out: str | None = None, force: bool = False) -> None:
    """Print counts, means and deviations of a data set; write a contact sheet.

    dataset: folder of a data set
    out: PNG of the contact sheet
    force: replace a sheet that is there
    """
    from mdeas.dataset import Dataset, statistics
    from mdeas.images import write_png
    from mdeas.show import sheet, table

    print(table(statistics(dataset)))
    if out:
        write_png(out, sheet(Dataset(dataset)), force=force)
        print(out)


def _build(maker: Any, out: str, workers: int, force: bool, photo_format: str = "jpeg") -> None:
    from mdeas.create.build import build

    print_facts(build(maker, Path(out), workers=workers, force=force, photo_format=photo_format))
