"""One sample as one row of a parquet shard, readable by `datasets.load_dataset("parquet", ...)`."""

import io
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mdeas.errors import InputError
from mdeas.images.codec import decode_depth16, decode_gray, decode_rgb, encode_jpeg, encode_png
from mdeas.images.levels import to_uint8
from mdeas.sample import Sample
from mdeas.system.files import quoted, write_bytes
from mdeas.system.optional import pyarrow_parquet

PHOTO_FORMATS: dict[str, Callable[[np.ndarray], bytes]] = {"jpeg": encode_jpeg, "png": encode_png}
PICTURES = ("background", "image", "mask", "depth")
META_COLUMNS = ("id", "source", "split", "seed", "index", "background_id", "foreground_ids")
COLUMNS = (
    *("id", "source", "split", "seed", "index", "background", "image", "mask", "depth", "depth_kind"),
    *("depth_scale", "background_id", "foreground_ids", "meta"),
)
# Reading a row reads its row group. A smaller group is not read faster, and each group costs a process that
# keeps the shard open 16 kB of memory.
_GROUP_BYTES = 2**19
_MAX_UINT8, _MAX_UINT16 = 255, 65535
_PNG = b"\x89PNG"


def encode_row(sample: Sample, photo_format: str = "jpeg") -> dict[str, Any]:
    """The columns of one sample: the photos as JPEG 95 or PNG, the mask as PNG-8, the depth as PNG-16.

    Bytes in `sample.encoded` are stored unchanged. Known metric depth is never rounded to 0, which would
    mean unknown.
    Input: photo_format: a name of PHOTO_FORMATS.
    """
    encode, ready = PHOTO_FORMATS[photo_format], sample.encoded
    depth, scale = _encode_depth(sample)
    pictures = {
        "background": ready.get("background") or encode(sample.background),
        "image": ready.get("image") or encode(sample.image),
        "mask": ready.get("mask") or _encode_mask(sample.mask),
        "depth": depth,
    }
    return {
        **{column: sample.meta[column] for column in META_COLUMNS},
        **{name: _picture(data, f"{sample.meta['id']}-{name}") for name, data in pictures.items()},
        "depth_kind": sample.depth_kind,
        "depth_scale": scale,
        "meta": json.dumps({k: v for k, v in sample.meta.items() if k not in META_COLUMNS}, sort_keys=True),
    }


def decode_row(
    row: dict[str, Any], decode_background: Callable[[bytes, str], np.ndarray] = decode_rgb
) -> Sample:
    """The sample of a row.

    Input:
        row: from `encode_row`, a shard or `offsets.ShardOffsets.row`.
        decode_background: (bytes, name for messages) -> uint8 (H, W, 3) RGB; a cache may stand in.
    Errors: InputError E-IMG-… when a picture does not decode, E-DATASET when its depth has no scale.
    """
    name = repr(row["id"])
    return Sample(
        background=decode_background(row["background"]["bytes"], f"background of {name}"),
        image=decode_rgb(row["image"]["bytes"], f"image of {name}"),
        mask=_decode_mask(row["mask"], f"mask of {name}"),
        depth=_decode_depth(row["depth"], row["depth_scale"], f"depth of {name}"),
        depth_kind=row["depth_kind"],
        meta=json.loads(row.get("meta", "{}")) | {key: row[key] for key in META_COLUMNS if key in row},
    )


def write_shard(
    path: str | os.PathLike[str], rows: Sequence[dict[str, Any]], *, force: bool = False
) -> dict[str, Any]:
    """Write rows of `encode_row` as one parquet file; equal rows give equal bytes with one pyarrow version.

    Output: {"name", "bytes", "sha256", "rows"}. Errors as `files.write_bytes`.
    """
    parquet = pyarrow_parquet()
    import pyarrow

    table = pyarrow.Table.from_pylist(list(rows), schema=schema())
    buffer = io.BytesIO()
    group_rows = max(1, _GROUP_BYTES * table.num_rows // max(1, table.nbytes))
    # Pictures are compressed already. Neighbours often have the same background: a group holds it once.
    plain: dict[str, Any] = {"compression": "none", "write_statistics": False}
    plain["use_dictionary"] = ["background.bytes"]
    parquet.write_table(table, buffer, row_group_size=group_rows, **plain)
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


def _feature(kind: Any) -> dict[str, Any]:
    import pyarrow.types as types

    if types.is_struct(kind):
        return {"_type": "Image"}
    if types.is_list(kind):
        return {"_type": "Sequence", "feature": _feature(kind.value_type)}
    return {"_type": "Value", "dtype": {"double": "float64"}.get(str(kind), str(kind))}


def damaged(path: str | os.PathLike[str], what: str) -> InputError:
    """The error for a file of a data set that is not as it was written."""
    return InputError("E-DATASET-DAMAGED", f"{quoted(path)}: {what}. Copy or make the data set again.")


def _picture(data: bytes | None, stem: str) -> dict[str, Any] | None:
    if data is None:
        return None
    return {"bytes": data, "path": stem + (".png" if data.startswith(_PNG) else ".jpg")}


def _encode_mask(mask: np.ndarray | None) -> bytes | None:
    return None if mask is None else encode_png(to_uint8(mask))


def _decode_mask(picture: dict[str, Any] | None, name: str) -> np.ndarray | None:
    if picture is None:
        return None
    return decode_gray(picture["bytes"], name) / np.float32(_MAX_UINT8)


def _encode_depth(sample: Sample) -> tuple[bytes | None, float | None]:
    """PNG-16 and its scale: depth = stored value * scale."""
    if "depth" in sample.encoded:
        return sample.encoded["depth"], sample.encoded["depth_scale"]
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
