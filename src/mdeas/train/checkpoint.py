"""Checkpoints (safetensors with a JSON card) and resume states; both are verified when they are read."""

import io
import os
import pickle
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from mdeas.errors import InputError, ModelError, UsageError
from mdeas.models.registry import create_model
from mdeas.system.files import read_json, sha256_bytes, storage, write_bytes, write_json

STATE, PREVIOUS = "resume.pt", "resume-previous.pt"
STAGE = "stage:"  # how a recipe refers to a run of the same curriculum
_MAGIC = b"mdeas-resume-1 "


def save_weights(folder: Path, name: str, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write NAME.safetensors, then NAME.json: `card`, the weights' sha256, and the packages' versions.

    Input: card: model, options, recipe, step, metrics.
    """
    data = safetensors.torch.save({key: value.cpu().contiguous() for key, value in weights.items()})
    record = write_bytes(folder / f"{name}.safetensors", data, force=True)
    versions = {package: metadata.version(package) for package in ("mdeas", "torch")}
    card = card | {"sha256": record["sha256"], "versions": versions}
    write_json(folder / f"{name}.json", card, force=True)


def read_card(path: str | Path) -> dict[str, Any]:
    """The JSON card of a checkpoint; `path` and errors as in `load_run`."""
    weights_path = _weights_path(Path(path))
    card_path = weights_path.with_suffix(".json")
    try:
        card = read_json(card_path)
    except InputError as error:
        advice = "Give the folder of a run, or one of its .safetensors files with its .json beside it."
        raise ModelError("E-CHECKPOINT", f"{error} {advice}") from error
    if not isinstance(card, dict) or not card.keys() >= {"model", "options", "sha256"}:
        raise ModelError("E-CHECKPOINT", f"'{card_path}': is not the card of a checkpoint. Copy it again.")
    return card


def copy_checkpoints(source: Path, target: Path) -> None:
    """Copy every checkpoint of the folder `source` to `target`, the card after its weights."""
    for weights in sorted(source.glob("*.safetensors")):
        for path in (weights, weights.with_suffix(".json")):
            write_bytes(target / path.name, path.read_bytes(), force=True)


def load_run(path: str | Path) -> nn.Module:
    """The trained network in eval mode, on the CPU.

    Input: a run folder, whose last.safetensors is read, or a .safetensors file with its .json beside it.
    Errors: ModelError E-CHECKPOINT when a file is missing, damaged or of another network.
    """
    weights_path = _weights_path(Path(path))
    card = read_card(weights_path)
    data = _read(weights_path)
    if sha256_bytes(data) != card["sha256"]:
        raise ModelError("E-CHECKPOINT", f"'{weights_path}': sha256 is not that of its card. Copy it again.")
    try:
        # The file holds all weights, so no pretrained ones are downloaded.
        options = card["options"] | dict.fromkeys(card["options"].keys() & {"pretrained"}, False)
        model = create_model(card["model"], **options)
        model.load_state_dict(safetensors.torch.load(data), strict=True)
    except (UsageError, RuntimeError) as error:
        raise ModelError("E-CHECKPOINT", f"'{weights_path}': {' '.join(str(error).split())}") from error
    return model.eval()


def referred(run: str, stages: Path) -> Path:
    """The path of the run that a recipe names; "stage:FOLDER" is a folder in `stages`."""
    return stages / run.removeprefix(STAGE) if run.startswith(STAGE) else Path(run)


def _weights_path(path: Path) -> Path:
    return path / "last.safetensors" if path.is_dir() else path.with_suffix(".safetensors")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            "E-CHECKPOINT", f"'{path}': {error.strerror}. Give a run folder or its file."
        ) from error


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the resume state and keep the one before it as a second good copy.

    The file is a line with the sha256 of the rest, followed by the output of torch.save.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getvalue()
    if (folder / STATE).exists():
        with storage(folder):
            os.replace(folder / STATE, folder / PREVIOUS)
    write_bytes(folder / STATE, _MAGIC + sha256_bytes(data).encode() + b"\n" + data, force=True)


def load_state(folder: Path) -> dict[str, Any] | None:
    """The newest undamaged resume state; None when the run has none yet.

    When the newest is damaged, a warning says so and the one before it is used.
    Errors: ModelError E-RESUME when every state is damaged.
    """
    present = [folder / name for name in (STATE, PREVIOUS) if (folder / name).exists()]
    for path in present:
        head, _, data = path.read_bytes().partition(b"\n")
        if head == _MAGIC + sha256_bytes(data).encode():  # nothing is parsed before this
            return _parsed(path, data)
        print(f"mdeas: warning: '{path}' is damaged; trying the state before it.", file=sys.stderr)
    if present:
        raise ModelError("E-RESUME", f"'{folder}': every resume state is damaged. Train into another folder.")
    return None


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            "E-RESUME", f"'{path}': is not a state of mdeas. Train into another folder."
        ) from error
