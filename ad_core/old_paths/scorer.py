"""`ad_core.scorer` until 0.3.0; see `ad_core.old_paths`."""

from ad_core.old_paths import moved, unchanged

NAMES = {
    **unchanged("ad_core.plugins", "SCORERS", "ScoreModel", "Scorer", "TaskModel"),
    **unchanged("ad_core.methods.scorer", "SCORE_SEED", "finest_scores"),
}
__getattr__ = moved("ad_core.scorer", NAMES)
