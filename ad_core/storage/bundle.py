"""A bundle is a folder of safetensors, JSON and Parquet files with a manifest that names each file's sha256.

Nothing in it is executed or unpickled, so a bundle from an unknown source can't run code.
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

FORMAT = 3
"""Increased when the previous version can't read a bundle of this one. 2: shared channels, scales per entity and more
settings of recordings; parts can be changed later. 3: items hold what never changed in training, and are not clipped.
"""

MANIFEST = "bundle.json"


def write(folder: Path, facts: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Write a bundle; a folder that already holds one is replaced only when the new one is complete.

    Args:
        facts: JSON-able; stored in the manifest.
        parts: file stem -> a mapping of arrays (safetensors), a table (Parquet), or anything JSON-able.

    Raises:
        BundleError: the folder is not empty and holds no bundle.
    """
    draft = folder.with_name(folder.name + ".partial")
    try:
        if folder.exists() and not folder.is_dir():
            raise BundleError(f"{folder} is a file, and a detector bundle is a folder. Choose a new folder.")
        if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
            raise BundleError(f"{folder} exists and is not a detector bundle. Choose an empty or a new folder.")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
    except OSError as error:
        raise BundleError(f"{folder} can't be made: {error.strerror}. Choose another place, or make room.") from None
    names = [_write_part(draft, stem, part) for stem, part in parts.items()]
    manifest = {"format": FORMAT, "facts": facts, "files": {name: _sha256(draft / name) for name in names}}
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def change(folder: Path, parts: Mapping[str, Any]) -> None:
    """Replace or add parts of a bundle, all of them or none: a concurrent reader sees only old or only new parts.

    A changed part gets a new file name (`calibration@2.parquet`), and the manifest, which lists the valid files, is
    replaced last. The files that this change replaces stay until the next one, for readers that have just read the old
    manifest.

    Args:
        folder: the bundle's folder.
        parts: as in `write`.

    Raises:
        BundleError: the folder is no bundle, or the bundle is damaged.
    """
    from filelock import FileLock

    with FileLock(folder.with_name(f".{folder.name}.lock")):
        manifest = _manifest(folder)
        old: dict[str, str] = manifest["files"]
        files = {name: checksum for name, checksum in old.items() if _stem(name) not in parts}
        for stem, part in parts.items():
            name = _write_part(folder, f"{stem}@{_next_number(folder, stem)}", part)
            files[name] = _sha256(folder / name)
        draft = folder / f".{MANIFEST}"
        draft.write_text(json.dumps({**manifest, "files": files}, indent=2, ensure_ascii=False), encoding="utf-8")
        draft.replace(folder / MANIFEST)
        for file in folder.iterdir():
            if _stem(file.name) in parts and file.name not in (*files, *old):
                file.unlink()


def part(folder: Path, stem: str) -> Any:
    """One part of a bundle, or None if it has no part of that name; only the checksum of its file is checked.

    Raises:
        BundleError: as `read`.
    """
    files = _manifest(folder)["files"]
    name = next((name for name in files if _stem(name) == stem), None)
    if name is None:
        return None
    _check(folder, {name: files[name]})
    return _read_part(folder / name)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facts and parts of a bundle; every checksum is checked first.

    Raises:
        BundleError: the folder is no bundle, has a newer format, or a file is missing, truncated or edited.
    """
    manifest = _manifest(folder)
    _check(folder, manifest["files"])
    return manifest["facts"], {_stem(name): _read_part(folder / name) for name in manifest["files"]}


def edited(folder: Path, what: str) -> BundleError:
    """The error about a bundle whose checksums are right and whose content is not, so it was edited on purpose."""
    return BundleError(
        f"The bundle {folder} was edited after it was written: {what}. Copy it again, or export the detector again."
    )


def identity(folder: Path) -> str:
    """sha256 of the manifest. It identifies the detector, since the manifest holds the checksum of every file."""
    return _sha256(folder / MANIFEST)


def _manifest(folder: Path) -> dict[str, Any]:
    manifest_file = folder / MANIFEST
    try:
        is_there = manifest_file.is_file()
    except OSError as error:
        raise BundleError(f"{folder} can't be opened: {error.strerror}. Give the folder of a bundle.") from None
    if not is_there:
        raise BundleError(
            f"{folder} is not a detector bundle: it has no {MANIFEST}. Give the folder that `train --out` wrote."
        )
    try:
        manifest = dict(json.loads(manifest_file.read_text(encoding="utf-8")))
        version, manifest["files"] = int(manifest["format"]), dict(manifest["files"])
        manifest["facts"] = dict(manifest["facts"])
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{manifest_file} is damaged. Export the detector again.") from None
    if version > FORMAT:
        raise BundleError(
            f"{folder} has bundle format {version}; this version reads up to {FORMAT}. Update Anomaly Lens."
        )
    return manifest


def _check(folder: Path, files: Mapping[str, str]) -> None:
    for name, expected in files.items():
        if Path(name).name != name or not (folder / name).is_file():
            raise BundleError(f"{name} is missing from the bundle {folder}. Copy the whole folder, or export it again.")
        if _sha256(folder / name) != expected:
            raise BundleError(
                f"{name} in the bundle {folder} was cut off or edited: its checksum differs. Copy or export it again."
            )


def _stem(name: str) -> str:
    """The name of the part in a file: `calibration` for `calibration@2.parquet`."""
    return Path(name).stem.partition("@")[0]


def _next_number(folder: Path, stem: str) -> int:
    numbers = [file.stem.partition("@")[2] for file in folder.glob(f"{stem}@*")]
    return 1 + max((int(number) for number in numbers if number.isdigit()), default=0)


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
    from pyarrow import ArrowException
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        if file.suffix == ".safetensors":
            return load_file(file)
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError, OSError, ArrowException, SafetensorError):
        raise edited(file.parent, f"{file.name} can't be read") from None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
