"""One sample as one row of a parquet shard, readable by `datasets.load_dataset("parquet", ...)`."""

import io
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mdeas.errors import InputError, UsageError
from mdeas.files import write_bytes
from mdeas.images import decode_depth16, decode_gray, decode_rgb, encode_jpeg, encode_png
from mdeas.sample import Sample

PHOTO_FORMATS: dict[str, Callable[[np.ndarray], bytes]] = {"jpeg": encode_jpeg, "png": encode_png}
PICTURES = ("background", "image", "mask", "depth")
META_COLUMNS = ("id", "source", "split", "seed", "index", "background_id", "foreground_ids")
COLUMNS = (
    *("id", "source", "split", "seed", "index", "background", "image", "mask", "depth", "depth_kind"),
    *("depth_scale", "background_id", "foreground_ids", "meta"),
)
# A row is found without reading more than its group: 5 rows cost 0.1 ms and 1 % of the file's length.
_GROUP_ROWS = 5
_MAX_UINT8, _MAX_UINT16 = 255, 65535


def encode_row(sample: Sample, photo_format: str = "jpeg") -> dict[str, Any]:
    """The columns of one sample: the photos as JPEG 95 or PNG, the mask as PNG-8, the depth as PNG-16.

    Metric depth that is known (> 0) stays known: it is never rounded to 0.
    """
    names = {name: f"{sample.meta['id']}-{name}" for name in PICTURES}
    encode, suffix = PHOTO_FORMATS[photo_format], {"jpeg": ".jpg", "png": ".png"}[photo_format]
    depth, scale = _encode_depth(sample)
    return {
        **{column: sample.meta[column] for column in META_COLUMNS},
        "background": _picture(encode(sample.background), names["background"] + suffix),
        "image": _picture(encode(sample.image), names["image"] + suffix),
        "mask": _picture(_encode_mask(sample.mask), names["mask"] + ".png"),
        "depth": _picture(depth, names["depth"] + ".png"),
        "depth_kind": sample.depth_kind,
        "depth_scale": scale,
        "meta": json.dumps({k: v for k, v in sample.meta.items() if k not in META_COLUMNS}, sort_keys=True),
    }


def decode_row(row: dict[str, Any]) -> Sample:
    """The sample in a row; InputError (E-IMG-…) when a picture of it does not decode."""
    name = repr(row["id"])
    photos = {key: decode_rgb(row[key]["bytes"], f"{key} of {name}") for key in ("background", "image")}
    return Sample(
        **photos,
        mask=_decode_mask(row["mask"], f"mask of {name}"),
        depth=_decode_depth(row["depth"], row["depth_scale"], f"depth of {name}"),
        depth_kind=row["depth_kind"],
        meta={**json.loads(row["meta"]), **{column: row[column] for column in META_COLUMNS}},
    )


def write_shard(
    path: str | os.PathLike[str], rows: Sequence[dict[str, Any]], *, force: bool = False
) -> dict[str, Any]:
    """Commit rows of `encode_row` as one parquet file: equal rows give equal bytes with one pyarrow version.

    Output: {"name", "bytes", "sha256", "rows"}. Errors as `files.write_bytes`.
    """
    parquet = pyarrow_parquet()
    import pyarrow

    table = pyarrow.Table.from_pylist(list(rows), schema=schema())
    buffer = io.BytesIO()
    # Pictures are compressed already; without statistics and dictionaries a shard is little more than them.
    plain: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    parquet.write_table(table, buffer, row_group_size=_GROUP_ROWS, **plain)
    return {**write_bytes(path, buffer.getvalue(), force=force), "rows": len(rows)}


def schema() -> Any:
    """The arrow schema of a shard, with the features that Hugging Face `datasets` reads from its metadata."""
    import pyarrow as pa

    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    types = {
        **dict.fromkeys(("id", "source", "split", "background_id", "depth_kind", "meta"), pa.string()),
        **dict.fromkeys(("seed", "index"), pa.int64()),
        "foreground_ids": pa.list_(pa.string()),
        "depth_scale": pa.float64(),
        **dict.fromkeys(PICTURES, picture),
    }
    features = json.dumps({"info": {"features": {name: _feature(types[name]) for name in COLUMNS}}})
    return pa.schema([(name, types[name]) for name in COLUMNS], metadata={"huggingface": features})


def pyarrow_parquet() -> Any:
    """The module pyarrow.parquet; UsageError (E-EXTRA) where it is not installed."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError("E-EXTRA", "data sets need pyarrow. Run: pip install 'mdeas[train]'") from error
    return pyarrow.parquet


def _feature(kind: Any) -> dict[str, Any]:
    import pyarrow.types as types

    if types.is_struct(kind):
        return {"_type": "Image"}
    if types.is_list(kind):
        return {"_type": "Sequence", "feature": _feature(kind.value_type)}
    return {"_type": "Value", "dtype": {"double": "float64"}.get(str(kind), str(kind))}


def _picture(data: bytes | None, path: str) -> dict[str, Any] | None:
    return None if data is None else {"bytes": data, "path": path}


def _encode_mask(mask: np.ndarray | None) -> bytes | None:
    return None if mask is None else encode_png(np.rint(mask * _MAX_UINT8).astype(np.uint8))


def _decode_mask(picture: dict[str, Any] | None, name: str) -> np.ndarray | None:
    if picture is None:
        return None
    return decode_gray(picture["bytes"], name) / np.float32(_MAX_UINT8)


def _encode_depth(sample: Sample) -> tuple[bytes | None, float | None]:
    """PNG-16 and its scale: depth = stored value * scale."""
    if sample.depth is None:
        return None, None
    scale = float(sample.depth.max()) / _MAX_UINT16 or 1.0
    stored = np.rint(sample.depth / scale)
    if sample.depth_kind == "metric":
        stored = np.where(sample.depth > 0, stored.clip(1), 0)
    return encode_png(stored.clip(0, _MAX_UINT16).astype(np.uint16)), scale


def _decode_depth(picture: dict[str, Any] | None, scale: float | None, name: str) -> np.ndarray | None:
    if picture is None:
        return None
    if scale is None:
        raise InputError("E-DATASET", f"{name}: no scale in the row. Make the data set again.")
    return decode_depth16(picture["bytes"], name) * np.float32(scale)
