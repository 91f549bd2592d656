"""Cases that are unusual in the same way are found, by shares of parts and by course."""

import numpy as np
import pandas as pd
import pytest

from ad_core.explain.similar import similar_by_attribution, similar_by_signal


def explained(**cases: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"row_id": row, "part": f"{channel}, 1 to 2", "channel": channel, "attribution": value}
            for row, parts in cases.items()
            for channel, value in parts.items()
        ]
    )


def test_the_same_shares_are_alike_whatever_the_score_and_none_in_common_are_not():
    parts = explained(
        now={"flow": 3.0, "load": 1.0, "heat": -5.0},
        same={"flow": 30.0, "load": 10.0, "heat": 0.0},
        near={"flow": 1.0, "load": 1.0, "heat": 0.0},
        other={"flow": 0.0, "load": 0.0, "heat": 2.0},
        nothing={"flow": -1.0, "load": 0.0, "heat": 0.0},
    )

    found = similar_by_attribution(parts, "now")

    assert list(found.index) == ["same", "near", "other"]
    assert found["same"] == pytest.approx(1)
    overlap = np.sqrt(0.75 * 0.5) + np.sqrt(0.25 * 0.5)  # Hellinger distance = sqrt(1 - overlap)
    assert found["near"] == pytest.approx(1 - np.sqrt(1 - overlap))
    assert found["other"] == pytest.approx(0)


def test_of_a_single_channel_shares_say_nothing():
    assert similar_by_attribution(explained(a={"flow": 1.0}, b={"flow": 2.0}), "a").empty
    assert similar_by_attribution(explained(b={"flow": 2.0, "load": 1.0}), "a").empty


def test_courses_are_alike_whatever_their_height_scale_and_begin():
    time = np.arange(200)
    bump, step = np.exp(-(((time - 60) / 8) ** 2)), (time > 100).astype(float)
    courses = {
        "now": bump,
        "later": 50 + 7 * np.roll(bump, 40),
        "step": step,
        "flat": np.ones(200),
        "gap": np.where(time == 3, np.nan, bump),
        "short": bump[:50],
    }

    found = similar_by_signal(courses, "now")

    assert list(found.index) == ["later", "step"]
    assert found["later"] > 0.9  # a rolled course is not quite a shifted one
    assert found["step"] < 0.6
    assert similar_by_signal(courses, "flat").empty
