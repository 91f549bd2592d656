"""Two runs side by side."""

import numpy as np
import pandas as pd
import pytest

from ad_core.evaluation.run_comparison import compare, differences, identity_in_words


def table(scores: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame({"row_id": list(scores), "score": list(scores.values())})


def test_rows_are_matched_by_their_ids_and_not_by_place():
    a, b = table({"x": 3, "y": 2, "z": 1}), table({"z": 10, "y": 20, "x": 30, "w": 5})

    found = compare(a, b, np.array([True, False, False]), np.array([False, True, False, True]))

    assert found.spearman == pytest.approx(1.0)
    assert found.rows["row_id"].tolist() == ["x", "y", "z"]
    assert found.rows["rank_b"].tolist() == [1, 2, 3]
    assert found.alerts == {"both": 0, "only_a": 1, "only_b": 1}
    assert found.left_out == 1
    assert found.disagreements("a")["row_id"].tolist() == ["x"]
    assert found.disagreements("b")["row_id"].tolist() == ["y"]


def test_overlap_is_shown_beside_chance():
    ids = [f"r{i}" for i in range(40)]
    a = table(dict(zip(ids, range(40), strict=True)))
    b = table(dict(zip(ids, np.r_[np.arange(35), [-5, -4, 41, 42, 43]], strict=True)))

    found = compare(a, b, np.zeros(40, bool), np.zeros(40, bool))

    assert found.overlap.set_index("k").loc[10].tolist() == [0.8, 0.25]
    assert found.overlap["k"].tolist() == [10, 20]


def test_rows_without_a_score_and_constant_scores_give_no_correlation():
    a, b = table({"x": 1, "y": 1, "z": 1, "w": np.nan}), table({"x": 1, "y": 2, "z": 3, "w": 4})

    found = compare(a, b, np.zeros(4, bool), np.zeros(4, bool))

    assert np.isnan(found.spearman)
    assert len(found.rows) == 3
    assert found.overlap.empty


def test_the_widest_disagreement_comes_first():
    ids = [f"r{i}" for i in range(10)]
    a = table(dict(zip(ids, range(10), strict=True)))
    b = table(dict(zip(ids, [0, 1, 2, 3, 4, 5, 9, 8, 7, 6], strict=True)))

    found = compare(a, b, np.arange(10) >= 7, np.zeros(10, bool))

    assert found.disagreements("a")["row_id"].tolist() == ["r9", "r8", "r7"]


def test_only_what_differs_is_listed():
    a = {"pretext": "balanced", "seed": 0, "settings": {"reader": {"window": 64}}}
    b = {"pretext": "balanced", "seed": 1, "settings": {"reader": {"window": 64}, "pretext": {"steps": 5}}}

    assert differences(a, b).to_numpy().tolist() == [["seed", "0", "1"], ["settings.pretext.steps", "–", "5"]]
    assert differences(a, a).empty


def test_words_say_whether_the_data_are_the_same():
    assert "used the same data" in identity_in_words("f", "f", 3, (3, 3))
    assert "share no row" in identity_in_words("f", "g", 0, (3, 3))
    assert "2 rows have the same id, of 3 and 4" in identity_in_words("f", "g", 2, (3, 4))
