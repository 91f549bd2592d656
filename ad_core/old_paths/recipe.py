"""`ad_core.recipe` until 0.3.0; see `ad_core.old_paths`."""

from ad_core.old_paths import moved, unchanged

NAMES = {
    **unchanged("ad_core.plugins", "RECIPES", "Fitted", "HeldOut", "Recipe"),
}
__getattr__ = moved("ad_core.recipe", NAMES)
