"""Metrics where labels, masks or verdicts exist."""

from typing import TYPE_CHECKING

from ad_core.old_paths import moved, unchanged

if not TYPE_CHECKING:  # hidden from mypy, which would take any name for one of this module
    __getattr__ = moved(
        "ad_core.evaluation", unchanged("ad_core.evaluation.metrics", "evaluate", "evaluate_recordings", "precision_at")
    )
