"""Refuse an ONNX file that names other files or needs a plugin, before any runtime opens it.

A model may name files to read (external data) and operators that only a plugin has. This walks the protobuf
bytes (https://protobuf.dev/programming-guides/encoding, field numbers of onnx.proto3), so that the base
install needs no `onnx` package.
"""

from collections.abc import Iterator

from mdeas.errors import ModelError

STANDARD_DOMAINS = ("", "ai.onnx")

# Message -> its fields that hold messages. All other fields are skipped.
_CHILDREN = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_MAX_DEPTH = 32

Field = tuple[int, int | memoryview]
"""Number and value: an integer for varints, bytes for the rest."""


def check(data: bytes, name: str) -> None:
    """Refuse a model that must not be loaded.

    Input:
        data: the file's bytes.
        name: what messages call it.
    Errors: ModelError E-MODEL-FORMAT (not ONNX, or cut), E-MODEL-EXTERNAL (external data), E-MODEL-OPERATOR
        (an operator or function outside the standard domain).
    """
    graphs = 0
    try:
        for message, fields in _messages(memoryview(data), "Model", _MAX_DEPTH):
            graphs += message == "Graph"
            _check_message(message, fields, name)
    except (IndexError, ValueError, RecursionError) as error:
        raise ModelError(
            "E-MODEL-FORMAT",
            f"{name!r} is not an ONNX file, or a damaged one ({error}). Give a file made by `mdeas export`.",
        ) from error
    if not graphs:
        raise ModelError(
            "E-MODEL-FORMAT", f"{name!r} holds no ONNX graph. Give a file made by `mdeas export`."
        )


def _check_message(message: str, fields: list[Field], name: str) -> None:
    if message == "Tensor" and any(number == 13 or (number == 14 and value) for number, value in fields):
        raise ModelError("E-MODEL-EXTERNAL", f"{name!r} keeps weights in other files. Export it as one file.")
    domain_field = {"Node": 7, "Function": 10}.get(message)
    for number, value in fields:
        if number == domain_field and _text(value) not in STANDARD_DOMAINS:
            raise ModelError(
                "E-MODEL-OPERATOR",
                f"{name!r} needs operators of {_text(value)!r}. Only standard ONNX is loaded.",
            )


def _messages(data: memoryview, message: str, depth: int) -> Iterator[tuple[str, list[Field]]]:
    """Every message in `data` and below it: (its name, its fields)."""
    if not depth:
        raise ValueError("nested too deeply")
    fields = list(_fields(data))
    yield message, fields
    children = _CHILDREN[message]
    for number, value in fields:
        if number in children and isinstance(value, memoryview):
            yield from _messages(value, children[number], depth - 1)


def _fields(data: memoryview) -> Iterator[Field]:
    """The fields of one message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind not in (1, 2, 5):
            raise ValueError(f"unknown wire type {kind}")
        length, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
        if at + length > len(data):
            raise ValueError(f"it ends {at + length - len(data)} bytes early")
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number runs over 64 bits")


def _text(value: int | memoryview) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, memoryview) else str(value)
