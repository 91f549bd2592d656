"""`ad_core.encoder` until 0.3.0; see `ad_core.old_paths`."""

from ad_core.old_paths import moved, unchanged

NAMES = {
    **unchanged("ad_core.plugins", "ENCODERS", "Encoder", "build_encoder"),
    **unchanged("ad_core.methods.encoder", "DEFAULT_ENCODER", "EncoderChoice"),
}
__getattr__ = moved("ad_core.encoder", NAMES)
