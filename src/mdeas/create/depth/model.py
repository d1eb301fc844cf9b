"""A depth network of Hugging Face by name or folder: what it is and where its files are. Needs no torch."""

from __future__ import annotations

import importlib.metadata
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdeas.errors import InputError, ModelError, UsageError
from mdeas.system.files import json_bytes, quoted, read_json, sha256_bytes, sha256_file

DEFAULT = "depth-anything/Depth-Anything-V2-Small-hf"
"""24.8 M parameters, Apache-2.0. Its Base and Large are not for commercial use."""

_FILES = ("*.json", "*.safetensors", "README.md")  # never the pickles that may lie beside them
_PACKAGES = ("torch", "transformers")
_PERMISSIVE = ("apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "cc-by-4.0", "cc0-1.0", "isc", "mit")
_KINDS = {"glpn": "metric", "zoedepth": "metric", "depth_pro": "metric", "dpt": "relative"}


@dataclass(frozen=True, kw_only=True)
class DepthModel:
    """A network that is on this machine."""

    name: str
    """As on the hub, or the folder's name."""
    folder: Path
    revision: str
    """The commit on the hub, or "local"."""
    sha256: str
    """Of the names and contents of its files."""
    licence: str | None
    """As its README.md says."""
    kind: str
    """relative or metric, see depths.LayerDepths."""

    def describe(self) -> dict[str, Any]:
        """What decides its predictions, but for the machine."""
        return {"name": self.name, "kind": self.kind, "revision": self.revision, "sha256": self.sha256}

    def provenance(self) -> dict[str, Any]:
        """Its row in index.json."""
        row = {"kind": "model", "name": self.name, "revision": self.revision, "sha256": self.sha256}
        return row | ({"licence": self.licence} if self.licence else {})


def find_model(name_or_folder: str | None) -> DepthModel:
    """The network of a folder, or of a name on the hub, from the hub's cache when that has it.

    A licence that is not permissive is told in one line on stderr.
    Errors: UsageError E-EXTRA without transformers; InputError E-DEPTH-MODEL when there is no such network
    and none can be downloaded; ModelError E-DEPTH-MODEL when it is of a kind that is not known.
    """
    versions()
    folder = Path(name_or_folder or DEFAULT)
    local = folder.is_dir()
    model = _describe(folder.resolve() if local else _from_hub(str(folder)), None if local else str(folder))
    if model.licence not in _PERMISSIVE:
        what = f"licence {model.licence!r}" if model.licence else "no licence in its README.md"
        advice = "What it labels may not be free to use, and neither what is trained on that."
        print(f"mdeas: warning[W-LICENCE] {model.name!r}: {what}. {advice}", file=sys.stderr)
    return model


def versions() -> dict[str, str]:
    """Of the packages that run networks; UsageError E-EXTRA when one is missing."""
    try:
        return {name: importlib.metadata.version(name) for name in _PACKAGES}
    except importlib.metadata.PackageNotFoundError as error:
        advice = "Run: pip install 'mdeas[teacher]'"
        raise UsageError("E-EXTRA", f"depth networks need {error.name}. {advice}") from error


def _describe(folder: Path, hub_name: str | None) -> DepthModel:
    files = sorted({path for pattern in _FILES for path in folder.glob(pattern)})
    if not {"config.json", "preprocessor_config.json"} <= {path.name for path in files} or not any(
        path.suffix == ".safetensors" for path in files
    ):
        wanted = "config.json, preprocessor_config.json and a .safetensors file"
        raise InputError("E-DEPTH-MODEL", f"{quoted(folder)}: {wanted} are needed. Download it again.")
    return DepthModel(
        name=hub_name or folder.name,
        folder=folder,
        revision=folder.name if hub_name else "local",
        sha256=sha256_bytes(json_bytes([[path.name, sha256_file(path)] for path in files])),
        licence=_licence(folder / "README.md"),
        kind=_kind(read_json(folder / "config.json"), hub_name or quoted(folder)),
    )


def _from_hub(name: str) -> Path:
    """The folder of a snapshot, whose name is its commit."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(_FILES)))
    except Exception as error:  # the hub and the network packages below it have no error in common
        reason = f"{type(error).__name__}: {' '.join(str(error).split()).partition('. ')[0]}"
        advice = (
            f"Where there is internet, run `hf download {name} --local-dir DIR`, then set depth_model=DIR."
        )
        raise InputError(
            "E-DEPTH-MODEL",
            f"{name!r} is no folder, is not in the cache, and cannot be downloaded ({reason}). {advice}",
        ) from error


def _licence(readme: Path) -> str | None:
    if not readme.is_file():
        return None
    from huggingface_hub import metadata_load

    try:
        return (metadata_load(readme) or {}).get("license")
    except Exception:  # what YAML raises for a damaged head; then it names no licence
        return None


def _kind(config: dict[str, Any], name: str) -> str:
    """What the numbers mean. There is no field for it, and to guess wrong is to turn near into far."""
    kind = config.get("depth_estimation_type") or _KINDS.get(config.get("model_type", ""))
    if config.get("model_type") == "depth_anything":
        kind = kind or "relative"
    # DINOv2 with a DPT head was published for metres, MiDaS for inverse depth, under one model type.
    of_metres = (config.get("backbone_config") or {}).get("model_type") == "dinov2"
    if kind not in ("relative", "metric") or (config.get("model_type") == "dpt" and of_metres):
        known = "depth_anything, dpt (MiDaS), zoedepth, glpn, depth_pro"
        what = f"{name}: what a {config.get('model_type')!r} network predicts is not known here"
        raise ModelError("E-DEPTH-MODEL", f"{what}. Use one of the types {known}.")
    return kind
