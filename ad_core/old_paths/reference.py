"""`ad_core.reference` until 0.3.0; see `ad_core.old_paths`."""

from ad_core.old_paths import moved, unchanged

NAMES = {
    **unchanged("ad_core.plugins", "REFERENCES", "Reference", "ReferenceModel", "flat", "whole_windows"),
    **unchanged("ad_core.methods.reference", "MAX_FIT_NUMBERS", "MAX_FIT_ROWS", "fitting_rows", "flat_rows"),
}
__getattr__ = moved("ad_core.reference", NAMES)
