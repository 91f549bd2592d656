"""Anomaly Lens: self-supervised anomaly detection for tables, images and sensor recordings.

The public names are imported when they are first used, so that `import ad_core` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector
    from ad_core.pipeline import load_detector, open_dataset, train

__version__ = "0.2.0"
__all__ = ["Detector", "__version__", "load_detector", "open_dataset", "train"]

_HOME_OF = {
    "Detector": "ad_core.detector.detector",
    "load_detector": "ad_core.pipeline",
    "open_dataset": "ad_core.pipeline",
    "train": "ad_core.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'ad_core' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
