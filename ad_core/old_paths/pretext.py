"""`ad_core.pretext` until 0.3.0; see `ad_core.old_paths`."""

from ad_core.old_paths import moved, unchanged

NAMES = {
    **unchanged("ad_core.plugins", "PRETEXTS", "Pretext", "TensorGroup"),
    "Progress": "ad_core.plugins:TrainingProgress",
}
__getattr__ = moved("ad_core.pretext", NAMES)
