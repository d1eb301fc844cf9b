"""What `mdeas show` prints and writes: a report of a data set with its distributions and contact sheets."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.dataset.dataset import Dataset, summary
from mdeas.dataset.show.figure import distributions
from mdeas.dataset.show.leaks import MAX_DISTANCE, Twins
from mdeas.dataset.show.pictures import sheet, twin_sheet
from mdeas.dataset.show.statistics import Look, look
from mdeas.images.codec import write_png
from mdeas.system.files import refuse_existing, write_bytes
from mdeas.system.markdown import plain_table
from mdeas.system.optional import figure_class

REPORT, SHEET, DISTRIBUTIONS, TWINS = "report.md", "sheet.png", "distributions.png", "nearest.png"
_NAMES = 10  # pictures without a licence that are named


def show(
    path: str | Path, out: str | Path | None = None, *, limit: int | None = None, force: bool = False
) -> str:
    """Look at a data set; with `out`, write the report and its pictures into this folder.

    Input: limit: look at so many samples, evenly spread; None = all.
    Output: the table of the statistics.
    Errors: as `Dataset`; UsageError E-EXTRA without matplotlib; StorageError E-EXISTS, E-FULL, ...
    """
    dataset = Dataset(path)
    if out is not None:
        figure_class()
        refuse_existing(Path(out) / REPORT, force)
    found = look(dataset, limit)
    if out is not None:
        _write(dataset, found, Path(out), force)
    return table(found.statistics)


def _write(dataset: Dataset, found: Look, out: Path, force: bool) -> None:
    write_png(out / SHEET, sheet(dataset), force=force)
    write_png(out / DISTRIBUTIONS, distributions(found.spreads), force=force)
    alike = twin_sheet(dataset, found)
    if alike is not None:
        write_png(out / TWINS, alike, force=force)
    write_bytes(out / REPORT, report(dataset, found).encode(), force=force)


def report(dataset: Dataset, found: Look) -> str:
    """The text of report.md."""
    facts = summary(dataset.path, dataset.index) | {"samples looked at": len(found.numbers)}
    return "\n\n".join(
        [
            f"# {dataset.path.name}",
            plain_table(("", ""), [(name, value) for name, value in facts.items()]),
            f"```\n{table(found.statistics)}\n```",
            f"![distributions]({DISTRIBUTIONS})",
            f"![samples]({SHEET})",
            *_agreement(dataset.index.get("recipe", {})),
            *_twins(found.twins),
            *_licences(dataset.index["provenance"]),
            "",
        ]
    )


def _agreement(recipe: dict[str, Any]) -> list[str]:
    """How depth assembled from layers differs from what its network says of whole composites."""
    model = recipe.get("depth_model")
    # In a recipe whose teacher is "none", `depth_model` is None or a name.
    found = model.get("agreement") if isinstance(model, dict) else None
    if not found:
        return []
    what = "Depth from layers against the same network on whole composites (agreement, not accuracy)"
    return [f"{what}:", plain_table(("", ""), list(found.items()))]


def table(statistics: dict[str, Any]) -> str:
    """Lines of text: counts, then mean and deviation per channel."""
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


def _twins(twins: Sequence[Twins]) -> list[str]:
    if not twins:
        return ["## The same in two splits", "There is one split only."]
    columns = ("picture", "samples of", "number", "equal to one of", "equal", f"near (≤ {MAX_DISTANCE} bits)")
    rows = [(t.kind, t.split, f"{t.num:,}", t.other, f"{t.num_equal:,}", f"{t.num_near:,}") for t in twins]
    said = "Equal: the same bytes. Near: 64-bit perceptual hashes that hardly differ."
    seen = [f"![nearest pairs]({TWINS})"] if any(t.pairs for t in twins) else []
    return ["## The same in two splits", said, plain_table(columns, rows), *seen]


def _licences(provenance: Sequence[dict[str, Any]]) -> list[str]:
    """Pictures by licence and kind, and the names of those without one."""
    kinds = sorted({row["kind"] for row in provenance})
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in provenance:
        counts[row.get("licence") or "none given"][row["kind"]] += 1
    if not counts:
        return ["## Licences", "The data set names no pictures that it was made from."]
    rows = [(name, *(f"{counts[name][kind]:,}" for kind in kinds)) for name in sorted(counts)]
    nameless = [row["name"] for row in provenance if not row.get("licence")]
    return ["## Licences", plain_table(("licence", *kinds), rows), *_unlicensed(nameless)]


def _unlicensed(names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    listed = ", ".join(f"`{name}`" for name in names[:_NAMES])
    return [f"Without a licence: {listed}{more} (all in index.json)."]
