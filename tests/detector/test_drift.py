"""When what was guaranteed of alerts no longer holds for a new file."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd

from ad_core.detector import drift
from ad_core.pipeline import open_dataset
from ad_core.types import Modality
from tests.contracts import items


def shop(n: int, seed: int, *, mean: float = 0.0, shops: str = "abc") -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame({"amount": random.normal(mean, 1, n), "shop": random.choice(list(shops), n)})


def gate(new: pd.DataFrame) -> drift.Gate:
    reference = open_dataset(shop(2000, 0), kinds={"shop": "category"})
    return drift.of_columns(reference.data, new, reference.schema)


def test_rows_of_the_same_kind_keep_the_guarantee():
    found = gate(shop(500, 1))

    assert found.state == "same"
    assert not (found.outside != "").any()
    assert "are like those" in found.sentence


def test_a_moved_column_withdraws_the_guarantee_and_is_named():
    found = gate(shop(500, 1, mean=1.5))

    assert found.state == "withdrawn"
    assert "most in amount" in found.sentence
    assert json.loads(json.dumps(found.facts()))["columns"][0]["column"] == "amount"


def test_a_little_drift_is_watched():
    found = gate(shop(4000, 1, mean=0.4))

    assert found.state == "watch"
    assert "may differ somewhat from the guaranteed ones" in found.sentence


def test_rows_of_a_shop_that_was_never_seen_lose_the_guarantee_alone():
    new = shop(500, 1)
    new.loc[:149, "shop"] = "z"

    found = gate(new)

    assert found.state == "withdrawn for some rows"
    assert (found.outside[:150] == "shop z was never seen").all()
    assert (found.outside[150:] == "").all()
    assert found.sentence.startswith("150 rows hold values")


def test_a_missing_category_is_no_new_one():
    new = shop(500, 1)
    new.loc[0, "shop"] = None

    assert gate(new).outside[0] == ""


def test_darker_images_withdraw_the_guarantee():
    """Images of the same kind pass; the same at a third of the light do not."""
    item_set = items.item_set(Modality.IMAGE)
    usual = item_set.take(slice(0, 96)).numpy()
    darker = replace(item_set, x=(item_set.x / 3).astype(item_set.x.dtype))

    assert drift.of_images(usual, item_set).state == "same"
    found = drift.of_images(usual, darker)

    assert found.state == "withdrawn"
    assert "brightness" in found.sentence
