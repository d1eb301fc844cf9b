"""`mdeas show`: print statistics of a data set; write a report with histograms and contact sheets."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.dataset.dataset import Dataset, summary
from mdeas.dataset.show.examine import Findings, examine
from mdeas.dataset.show.figure import distributions
from mdeas.dataset.show.leaks import MAX_DISTANCE, Overlap
from mdeas.dataset.show.pictures import overlap_sheet, sample_sheet
from mdeas.images.codec import write_png
from mdeas.system.files import refuse_existing, write_bytes
from mdeas.system.markdown import plain_table
from mdeas.system.optional import figure_class

REPORT, SHEET, DISTRIBUTIONS, NEAREST = "report.md", "sheet.png", "distributions.png", "nearest.png"
_MAX_NAMES = 10  # of pictures without a licence


def show(
    path: str | Path, out: str | Path | None = None, *, limit: int | None = None, force: bool = False
) -> str:
    """Examine a data set; with `out`, write the report and its pictures into this folder.

    Input: limit: number of samples to examine, evenly spread; None = all.
    Output: the statistics as text.
    Errors: as `Dataset`; UsageError E-EXTRA without matplotlib; StorageError E-EXISTS, E-FULL, ...
    """
    dataset = Dataset(path)
    if out is not None:
        figure_class()
        refuse_existing(Path(out) / REPORT, force)
    found = examine(dataset, limit)
    if out is not None:
        _write(dataset, found, Path(out), force)
    return table(found.statistics)


def _write(dataset: Dataset, found: Findings, out: Path, force: bool) -> None:
    write_png(out / SHEET, sample_sheet(dataset), force=force)
    write_png(out / DISTRIBUTIONS, distributions(found.histograms), force=force)
    nearest = overlap_sheet(dataset, found.overlaps, found.positions)
    if nearest is not None:
        write_png(out / NEAREST, nearest, force=force)
    write_bytes(out / REPORT, report(dataset, found).encode(), force=force)


def report(dataset: Dataset, found: Findings) -> str:
    """The text of report.md."""
    facts = summary(dataset.path, dataset.index) | {"samples looked at": len(found.positions)}
    return "\n\n".join(
        [
            f"# {dataset.path.name}",
            plain_table(("", ""), [(name, value) for name, value in facts.items()]),
            f"```\n{table(found.statistics)}\n```",
            f"![distributions]({DISTRIBUTIONS})",
            f"![samples]({SHEET})",
            *_agreement(dataset.index.get("recipe", {})),
            *_overlaps(found.overlaps),
            *_licences(dataset.index["provenance"]),
            "",
        ]
    )


def _agreement(recipe: dict[str, Any]) -> list[str]:
    """How depth assembled from layers differs from the network's depth of the whole composite."""
    model = recipe.get("depth_model")
    # In a recipe whose teacher is "none", `depth_model` is None or a name.
    found = model.get("agreement") if isinstance(model, dict) else None
    if not found:
        return []
    what = "Depth from layers against the same network on whole composites (agreement, not accuracy)"
    return [f"{what}:", plain_table(("", ""), list(found.items()))]


def table(statistics: dict[str, Any]) -> str:
    """Lines of text: counts, then mean and standard deviation per channel."""
    lines = [f"{split} samples: {count:,}" for split, count in statistics["samples"].items()]
    lines.append(f"{'':<16}{'mean':<24}standard deviation")
    lines += [_row(name, statistics[name]) for name in ("background", "image", "mask") if statistics[name]]
    lines += [_row(f"depth, {kind}", values) for kind, values in statistics["depth"].items()]
    if statistics["empty_share"] is not None:
        lines.append(f"empty pairs: {statistics['empty_share']:.2%}")
    if statistics["mask_area"]:
        areas = ", ".join(f"{float(q):.0%}: {area:.2%}" for q, area in statistics["mask_area"].items())
        lines.append(f"area of the mask in the other pairs, quantiles: {areas}")
    return "\n".join(lines)


def _row(name: str, values: dict[str, Any]) -> str:
    return f"{name:<16}{_channels(values['mean']):<24}{_channels(values['std'])}"


def _channels(value: float | list[float]) -> str:
    return " ".join(f"{number:.4f}" for number in np.atleast_1d(value))


def _overlaps(overlaps: Sequence[Overlap]) -> list[str]:
    if not overlaps:
        return ["## The same in two splits", "There is one split only."]
    columns = ("picture", "samples of", "number", "equal to one of", "equal", f"near (≤ {MAX_DISTANCE} bits)")
    rows = [
        (one.kind, one.split, f"{one.num:,}", one.other, f"{one.num_equal:,}", f"{one.num_near:,}")
        for one in overlaps
    ]
    legend = "Equal: the same bytes. Near: 64-bit perceptual hashes that hardly differ."
    seen = [f"![nearest pairs]({NEAREST})"] if any(one.pairs for one in overlaps) else []
    return ["## The same in two splits", legend, plain_table(columns, rows), *seen]


def _licences(provenance: Sequence[dict[str, Any]]) -> list[str]:
    """The number of pictures by licence and kind, and the names of pictures without a licence."""
    kinds = sorted({row["kind"] for row in provenance})
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in provenance:
        counts[row.get("licence") or "none given"][row["kind"]] += 1
    if not counts:
        return ["## Licences", "The data set names no pictures that it was made from."]
    rows = [(name, *(f"{counts[name][kind]:,}" for kind in kinds)) for name in sorted(counts)]
    unlicensed = [row["name"] for row in provenance if not row.get("licence")]
    text = ["## Licences", plain_table(("licence", *kinds), rows)]
    if unlicensed:
        listed = ", ".join(f"`{name}`" for name in unlicensed[:_MAX_NAMES])
        more = f" and {len(unlicensed) - _MAX_NAMES:,} more" if len(unlicensed) > _MAX_NAMES else ""
        text.append(f"Without a licence: {listed}{more} (all in index.json).")
    return text
