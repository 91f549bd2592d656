"""A trained detector: scoring, streams, drift, events."""

from typing import TYPE_CHECKING

from ad_core.old_paths import moved, unchanged

if not TYPE_CHECKING:  # hidden from mypy, which would take any name for one of this module
    __getattr__ = moved("ad_core.detector", unchanged("ad_core.detector.detector", "Detector", "Normals"))
