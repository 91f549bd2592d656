"""Anomaly Lens: self-supervised anomaly detection for tables, images and sensor recordings.

Two lists of names are public: those of this module, for whoever detects anomalies, and those of `ad_core.plugins`, for
whoever writes a pretext task, a classical detector or another plug-in. All other modules, names and signatures are
internal and may change with any release.

The public names are imported when they are first used, so that `import ad_core` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ad_core.alerts.rule import Rule
    from ad_core.detector.detector import Detector
    from ad_core.errors import (
        AdError,
        BundleError,
        Cancelled,
        DataError,
        ExplanationError,
        MethodError,
        ResourceError,
        SettingsError,
        StoreError,
    )
    from ad_core.estimator import AnomalyDetector
    from ad_core.pipeline import load_detector, open_dataset, train

__version__ = "0.2.0"
__all__ = [
    "AdError",
    "AnomalyDetector",
    "BundleError",
    "Cancelled",
    "DataError",
    "Detector",
    "ExplanationError",
    "MethodError",
    "ResourceError",
    "Rule",
    "SettingsError",
    "StoreError",
    "__version__",
    "load_detector",
    "open_dataset",
    "train",
]

__path__.append(f"{__path__[0]}/old_paths")
"""`ad_core/old_paths/pretext.py` is `ad_core.pretext` until 0.3.0, see `ad_core.old_paths`."""

_ERRORS = (
    "AdError",
    "BundleError",
    "Cancelled",
    "DataError",
    "ExplanationError",
    "MethodError",
    "ResourceError",
    "SettingsError",
    "StoreError",
)
_HOME_OF = {
    "AnomalyDetector": "ad_core.estimator",
    "Detector": "ad_core.detector.detector",
    "Rule": "ad_core.alerts.rule",
    "load_detector": "ad_core.pipeline",
    "open_dataset": "ad_core.pipeline",
    "train": "ad_core.pipeline",
    **dict.fromkeys(_ERRORS, "ad_core.errors"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'ad_core' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
