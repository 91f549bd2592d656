"""Whether the parts of a restored detector fit together; a bundle that somebody edited may hold any."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ad_core.types import Modality

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector


def what_does_not_fit(detector: "Detector") -> str:
    """What is wrong with the parts, in words; "" where they fit."""
    size, normals = tuple(detector.reader.shape.size), detector.normals
    wrong = {
        "the normal items have another shape than the reader's items": tuple(normals.x.shape[1:]) != size,
        "the normal items, their ids and their embeddings differ in number": not (
            len(normals.x) == len(normals.row_ids) == len(normals.embeddings)
        ),
        "the calibration has no scores, or scores that are not finite": not (
            len(detector.calibration.scores) and np.isfinite(detector.calibration.scores).all()
        ),
        "the typical residuals have another shape than the reader's items": detector.residuals is not None
        and detector.residuals.shape != (2, *size),
        "there is not one level for each channel": detector.usual_parts is not None
        and (detector.modality is not Modality.SENSOR or not detector.usual_parts.fits(size[0])),
        "the calibration rows are no table of row_id and score": not _is_of_rows(detector.calibration_rows),
        "the out-of-bag scores are no table of row_id and score": not _is_of_rows(detector.out_of_bag),
    }
    return next((what for what, is_wrong in wrong.items() if is_wrong), "")


def _is_of_rows(table: pd.DataFrame | None) -> bool:
    if table is None:
        return True
    return (
        {"row_id", "score"} <= set(table.columns)
        and pd.api.types.is_numeric_dtype(table["score"])
        and bool(table["row_id"].notna().all() and table["row_id"].is_unique)
    )
