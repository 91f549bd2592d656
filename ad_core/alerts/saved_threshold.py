"""A rule for alerts that somebody saved: who, when and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import field_serializer

from ad_core.alerts.rule import Rule
from ad_core.errors import BundleError, SettingsError
from ad_core.settings import Settings


class SavedThreshold(Settings):
    """One line of a detector's history of thresholds; the newest line is in force."""

    rule: Rule
    name: str
    reason: str = ""
    author: str = ""
    created: datetime

    @field_serializer("created")
    def _iso(self, created: datetime) -> str:
        """With `+00:00` for UTC, as bundles always had it; pydantic would write `Z`."""
        return created.isoformat()


def read_thresholds(entries: Sequence[Mapping[str, Any]] | None, folder: Path) -> tuple[SavedThreshold, ...]:
    """The part `threshold` of a bundle: every threshold ever saved in it, oldest first.

    Args:
        entries: as in the bundle; None = it has no such part.
        folder: of the bundle, for the error text.

    Raises:
        BundleError: an entry is not understood.
    """
    try:
        return tuple(SavedThreshold.parse(entry, "threshold") for entry in entries or ())
    except SettingsError as error:
        raise BundleError(
            f"A threshold saved in the bundle {folder} is not understood: {error} "
            "Update Anomaly Lens, or export the detector again."
        ) from None
