"""Find a depth network of Hugging Face by name or folder, and describe it. Needs no torch."""

from __future__ import annotations

import importlib.metadata
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdeas.errors import InputError, ModelError
from mdeas.system.files import json_bytes, quoted, read_json, sha256_bytes, sha256_file
from mdeas.system.optional import extra_error

DEFAULT = "depth-anything/Depth-Anything-V2-Small-hf"
"""24.8 M parameters, Apache-2.0. The Base and Large versions are not for commercial use."""

_FILES = ("*.json", "*.safetensors", "README.md")  # no pickles: loading one runs code
_PACKAGES = ("transformers", "torch")  # in the order in which a missing one is named
_PERMISSIVE = ("apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "cc-by-4.0", "cc0-1.0", "isc", "mit")
_KIND_OF_TYPE = {"glpn": "metric", "zoedepth": "metric", "depth_pro": "metric", "dpt": "relative"}


@dataclass(frozen=True, kw_only=True)
class DepthModel:
    """A depth network whose files are on this machine."""

    name: str
    """Its name on the hub, or the folder's name."""
    folder: Path
    revision: str
    """The commit on the hub, or "local"."""
    sha256: str
    """Hash of the names and contents of its files."""
    licence: str | None
    """From the front matter of its README.md; None = unknown."""
    kind: str
    """relative or metric, see layer_depths.LayerDepths."""

    def describe(self) -> dict[str, Any]:
        """Return a JSON object that identifies the network."""
        return {"name": self.name, "kind": self.kind, "revision": self.revision, "sha256": self.sha256}

    def provenance(self) -> dict[str, Any]:
        """Return its row for index.json."""
        row = {"kind": "model", "name": self.name, "revision": self.revision, "sha256": self.sha256}
        return row | ({"licence": self.licence} if self.licence else {})


def find_model(name_or_folder: str | None) -> DepthModel:
    """Find a network by its folder, or by its name on the hub: in the hub's cache, else by download.

    A licence that is not permissive gives a warning line on stderr. Input: None = DEFAULT.
    Errors: UsageError E-EXTRA without transformers; InputError E-DEPTH-MODEL when there is no such network
        and it cannot be downloaded; ModelError E-DEPTH-MODEL when the kind of its depth is not known.
    """
    versions()
    folder = Path(name_or_folder or DEFAULT)
    local = folder.is_dir()
    model = _describe(folder.resolve() if local else _from_hub(str(folder)), None if local else str(folder))
    if model.licence not in _PERMISSIVE:
        what = f"licence {model.licence!r}" if model.licence else "no licence in its README.md"
        advice = "Check that you may use its labels, and what you train on them."
        print(f"mdeas: warning[W-LICENCE] {model.name!r}: {what}. {advice}", file=sys.stderr)
    return model


def versions() -> dict[str, str]:
    """Return the versions of the packages that run networks; UsageError E-EXTRA when one is missing."""
    try:
        return {name: importlib.metadata.version(name) for name in _PACKAGES}
    except importlib.metadata.PackageNotFoundError as error:
        raise extra_error(str(error.name), "a depth network") from error


def _describe(folder: Path, hub_name: str | None) -> DepthModel:
    """Read the facts about the network in a folder; `hub_name` None = the folder is not from the hub."""
    files = sorted({path for pattern in _FILES for path in folder.glob(pattern)})
    if not {"config.json", "preprocessor_config.json"} <= {path.name for path in files} or not any(
        path.suffix == ".safetensors" for path in files
    ):
        wanted = "config.json, preprocessor_config.json and a .safetensors file"
        raise InputError("E-DEPTH-MODEL", f"{quoted(folder)}: {wanted} are needed. Download the model again.")
    return DepthModel(
        name=hub_name or folder.name,
        folder=folder,
        revision=folder.name if hub_name else "local",
        sha256=sha256_bytes(json_bytes([[path.name, sha256_file(path)] for path in files])),
        licence=_licence(folder / "README.md"),
        kind=_kind(read_json(folder / "config.json"), hub_name or quoted(folder)),
    )


def _from_hub(name: str) -> Path:
    """Return the folder of a network of the hub, downloaded if necessary; its name is the commit."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(_FILES)))
    except Exception as error:  # the hub and its network packages share no error class
        reason = f"{type(error).__name__}: {' '.join(str(error).split()).partition('. ')[0]}"
        what = f"{name!r} is not a folder, is not in the cache, and cannot be downloaded ({reason})"
        advice = f"With internet access, run `hf download {name} --local-dir DIR`, then set depth_model=DIR."
        raise InputError("E-DEPTH-MODEL", f"{what}. {advice}") from error


def _licence(readme: Path) -> str | None:
    if not readme.is_file():
        return None
    from huggingface_hub import metadata_load

    try:
        return (metadata_load(readme) or {}).get("license")
    except Exception:  # damaged YAML raises many classes; the licence is then unknown
        return None


def _kind(config: dict[str, Any], name: str) -> str:
    """Tell from config.json whether a network predicts metric or relative depth.

    Most configurations have no field for it. A wrong guess would swap near and far. So unknown types are
    refused with ModelError E-DEPTH-MODEL.
    """
    kind = config.get("depth_estimation_type") or _KIND_OF_TYPE.get(config.get("model_type", ""))
    if config.get("model_type") == "depth_anything":
        kind = kind or "relative"
    # Type dpt is ambiguous: DINOv2 networks predict metres, MiDaS networks inverse depth.
    is_dinov2 = (config.get("backbone_config") or {}).get("model_type") == "dinov2"
    if kind not in ("relative", "metric") or (config.get("model_type") == "dpt" and is_dinov2):
        known = "depth_anything, dpt (MiDaS), zoedepth, glpn, depth_pro"
        what = f"{name}: it is not known whether a {config.get('model_type')!r} network predicts metres"
        raise ModelError("E-DEPTH-MODEL", f"{what}. Use a model of type {known}.")
    return kind
