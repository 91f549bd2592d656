"""Fitting a method on the training rows, beside the classical detectors."""

from typing import TYPE_CHECKING

from ad_core.old_paths import moved, unchanged

if not TYPE_CHECKING:  # hidden from mypy, which would take any name for one of this module
    __getattr__ = moved(
        "ad_core.training",
        unchanged(
            "ad_core.training.fit",
            "PRESETS",
            "TrainingSettings",
            "TrainingSummary",
            "build_model",
            "choose_device",
            "embed_items",
            "fit_reference",
            "fit_task_model",
            "per_item",
            "score_items",
            "train_task",
            "training_settings",
        ),
    )
