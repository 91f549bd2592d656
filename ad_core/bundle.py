"""A bundle is a folder of safetensors, JSON and Parquet files with a manifest that names each file's sha256.

Nothing in it is ever executed or unpickled, so a bundle of a stranger can do no more harm than a picture of one.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ad_core.errors import BundleError

FORMAT = 2
"""Raised when a bundle of this version could not be read by the previous one. 2: readers of recordings know shared
channels, scales of entities, and more settings.
"""

MANIFEST = "bundle.json"


def write(folder: Path, facts: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Write a bundle; a folder that already holds one is replaced only when the new one is complete.

    Args:
        facts: JSON-able, kept in the manifest.
        parts: file stem -> a mapping of arrays (safetensors), a frame (Parquet), or anything JSON-able.

    Raises:
        BundleError: the folder holds something else than a bundle.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise BundleError(f"{folder} exists and is not a detector bundle. Choose an empty or a new folder.")
    draft = folder.with_name(folder.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    names = [_write_part(draft, stem, part) for stem, part in parts.items()]
    manifest = {"format": FORMAT, "facts": facts, "files": {name: _sha256(draft / name) for name in names}}
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facts and parts of a bundle, after every checksum was compared.

    Raises:
        BundleError: it is no bundle, is of a newer format, or a file is missing, cut off or edited.
    """
    manifest_file = folder / MANIFEST
    if not manifest_file.is_file():
        raise BundleError(
            f"{folder} is not a detector bundle: it has no {MANIFEST}. Give the folder that `train --out` wrote."
        )
    try:
        manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
        version, files = int(manifest["format"]), dict(manifest["files"])
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{manifest_file} is damaged. Export the detector again.") from None
    if version > FORMAT:
        raise BundleError(
            f"{folder} has bundle format {version}; this version reads up to {FORMAT}. Update Anomaly Lens."
        )
    for name, expected in files.items():
        if Path(name).name != name or not (folder / name).is_file():
            raise BundleError(f"{name} is missing from the bundle {folder}. Copy the whole folder, or export it again.")
        if _sha256(folder / name) != expected:
            raise BundleError(
                f"{name} in the bundle {folder} was cut off or edited: its checksum differs. Copy or export it again."
            )
    return manifest["facts"], {Path(name).stem: _read_part(folder / name) for name in files}


def identity(folder: Path) -> str:
    """sha256 of the manifest: names the detector, since the manifest names every file's checksum."""
    return _sha256(folder / MANIFEST)


def _write_part(folder: Path, stem: str, part: Any) -> str:
    if isinstance(part, pd.DataFrame):
        part.to_parquet(folder / f"{stem}.parquet", index=False)
        return f"{stem}.parquet"
    if isinstance(part, Mapping) and part and all(isinstance(v, np.ndarray) for v in part.values()):
        from safetensors.numpy import save_file

        save_file({key: np.ascontiguousarray(value) for key, value in part.items()}, folder / f"{stem}.safetensors")
        return f"{stem}.safetensors"
    (folder / f"{stem}.json").write_text(json.dumps(part, indent=2, ensure_ascii=False), encoding="utf-8")
    return f"{stem}.json"


def _read_part(file: Path) -> Any:
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    if file.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return load_file(file)
    return json.loads(file.read_text(encoding="utf-8"))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
