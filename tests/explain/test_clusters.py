"""Alerts with the same reasons are put together, named, and described by a rule."""

import numpy as np
import pandas as pd
import pytest

from ad_core.explain.clusters import alert_groups, surrogate_rule


def explained(cases: dict[str, dict[str, float]], values: dict[str, tuple[str, str]] | None = None) -> pd.DataFrame:
    lines = [
        {"row_id": row, "part": part, "attribution": share}
        for row, parts in cases.items()
        for part, share in parts.items()
    ]
    table = pd.DataFrame(lines)
    for place, name in enumerate(("value", "expected")):
        table[name] = table["part"].map({part: pair[place] for part, pair in (values or {}).items()})
    return table


@pytest.fixture
def two_kinds() -> dict[str, dict[str, float]]:
    """Ten cases of amount and hour, six of the shop, whatever their scores, and one like no other."""
    random = np.random.default_rng(0)
    cases = {}
    for i in range(16):
        scale, noise = random.uniform(1, 50), random.uniform(0, 0.05, 3)
        shares = np.array([0.6, 0.4, 0.0] if i < 10 else [0.0, 0.05, 0.95]) + noise
        cases[f"c{i}"] = dict(zip(("amount", "hour", "shop"), scale * shares, strict=True))
    return cases | {"odd": {"door": 2.0, "hour": -3.0, "shop": 0.1}}


def test_cases_with_the_same_reasons_are_one_group_whatever_their_scores(two_kinds):
    values = {"amount": ("4980", "30"), "hour": ("3", "14"), "shop": ("travel", "food")}

    found = alert_groups(explained(two_kinds, values))

    assert [len(group.row_ids) for group in found] == [10, 6]
    assert set(found[0].row_ids) == {f"c{i}" for i in range(10)}
    assert found[0].name == "amount up, hour down"
    assert found[1].name == "shop = travel"
    assert next(iter(found[1].shares)) == "shop"
    assert sum(found[0].shares.values()) == pytest.approx(1)


def test_cases_that_are_all_alike_are_one_group():
    random = np.random.default_rng(1)
    cases = {f"c{i}": {"amount": 1 + 0.02 * random.random(), "hour": 0.1 * random.random()} for i in range(12)}

    (group,) = alert_groups(explained(cases))

    assert group.name == "amount"
    assert len(group.row_ids) >= 9


def test_channels_of_recordings_are_what_counts(two_kinds):
    parts = explained(two_kinds).rename(columns={"part": "channel"})
    parts["part"] = parts["channel"] + ", 08:00 to 09:00"

    found = alert_groups(parts)

    assert [group.name for group in found] == ["amount, hour", "shop"]


def test_too_few_cases_or_cases_that_nothing_raises_are_no_group():
    assert alert_groups(explained({f"c{i}": {"a": 1.0} for i in range(5)})) == []
    assert alert_groups(explained({f"c{i}": {"a": -1.0, "b": -2.0} for i in range(20)})) == []


def test_a_rule_describes_a_group_with_its_precision_and_coverage():
    random = np.random.default_rng(0)
    data = pd.DataFrame({"amount": random.uniform(0, 100, 400), "shop": random.choice(["food", "travel"], 400)})
    inside = ((data["amount"] > 80) & (data["shop"] == "travel")).to_numpy()

    rule = surrogate_rule(data, inside)

    assert rule.precision == 1.0
    assert rule.coverage == 1.0
    assert "shop" in rule.text
    assert "amount > 8" in rule.text


def test_a_rule_that_holds_in_part_says_so():
    data = pd.DataFrame({"x": np.r_[np.zeros(90), np.ones(10)], "y": ["same"] * 100})
    inside = np.r_[np.zeros(85, bool), np.ones(15, bool)]

    rule = surrogate_rule(data, inside)

    assert rule.text == "x > 0.5"
    assert (rule.precision, rule.coverage) == (1.0, 10 / 15)


def test_without_a_column_that_tells_there_is_no_rule():
    assert surrogate_rule(pd.DataFrame({"y": ["same"] * 10}), np.arange(10) < 3) is None
    assert surrogate_rule(pd.DataFrame({"x": np.arange(10.0)}), np.zeros(10, bool)) is None


def test_missing_numbers_and_categories_harm_nothing():
    data = pd.DataFrame({"x": [1.0, np.nan, 9, 9, 9, 1, 1, 1], "k": ["a", None, "b", "b", "b", "a", "a", "a"]})

    rule = surrogate_rule(data, np.array([0, 0, 1, 1, 1, 0, 0, 0], bool))

    assert (rule.precision, rule.coverage) == (1.0, 1.0)
