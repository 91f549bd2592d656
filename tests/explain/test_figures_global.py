"""Figures of what drives all alerts."""

import numpy as np
import pandas as pd

from ad_core.explain import figures_global
from ad_core.explain.global_importance import GlobalImportance, over_time, ranking, split
from ad_core.explain.image_grid import FIELDS


def many(parts: int = 14, alerts: int = 6) -> GlobalImportance:
    shares = np.random.default_rng(0).dirichlet(np.arange(parts, 0, -1), alerts)
    table = pd.DataFrame(shares, columns=[f"c{i}" for i in range(parts)], index=[f"r{i}" for i in range(alerts)])
    return GlobalImportance(table, table.idxmax(axis=1), {})


def test_bars_add_up_to_the_whole_and_carry_their_intervals():
    table = ranking(many())

    bar = figures_global.importance_bars(table).data[0]

    assert len(bar.x) == figures_global.BARS + 1
    assert bar.customdata[-1] == "2 other parts"
    np.testing.assert_allclose(sum(bar.x), 100)
    np.testing.assert_allclose(bar.x[0] + bar.error_x.array[0], 100 * table["high"].iloc[0])
    np.testing.assert_allclose(bar.x[0] - bar.error_x.arrayminus[0], 100 * table["low"].iloc[0])


def test_names_with_tags_stay_text():
    table = ranking(many(2)).assign(part=["<b>bold</b>", "plain"])

    names = figures_global.importance_bars(table).layout.yaxis.ticktext

    assert names == ("&lt;b&gt;bold&lt;/b&gt;", "plain")


def test_words_say_the_finding():
    found = many(3)
    table = ranking(found)

    assert table["part"].iloc[0] in figures_global.importance_in_words(table, 6)
    by_kind = split(found, pd.Series(["x", "x", "x", "x", "y", "y"], index=found.shares.index))
    assert figures_global.split_in_words(by_kind).startswith("Largest mean share within each of 2: x: ")
    times = over_time(found, pd.Series(range(6), index=found.shares.index), bins=2)
    assert figures_global.over_time_in_words(times).startswith("6 alerts over time; most, 3,")


def test_shades_have_a_line_for_each_value_and_an_empty_place_for_what_is_not_there():
    found = many(3)
    table = split(found, pd.Series(["x", "x", "x", "x", "x", "y"], index=found.shares.index))

    heat = figures_global.split_shades(table, ["c0", "c1", "elsewhere"]).data[0]

    assert heat.z.shape == (2, 3)
    assert (heat.z[:, 2] == 0).all()
    assert "95 %" in heat.customdata[0, 0]
    assert "95 %" not in heat.customdata[1, 0]  # a single alert has no interval


def test_the_fields_of_a_picture_lie_as_in_the_picture():
    table = pd.DataFrame({"part": ["upper right", "bottom"], "share": [0.75, 0.25]})

    heat = figures_global.field_shares(table).data[0]

    assert heat.z[0, 2] == 75
    assert heat.z[2, 1] == 25
    assert heat.customdata[1, 1] == FIELDS[4]


def test_over_time_what_has_no_colour_is_summed_up():
    found = many(14)
    times = over_time(found, pd.Series(pd.date_range("2026", periods=6), index=found.shares.index), bins=3)

    figure = figures_global.importance_over_time(times, ranking(found)["part"].tolist())

    assert [bar.name for bar in figure.data][-1] == "all others"
    assert len(figure.data) == len(figures_global.PALETTE) + 1
    np.testing.assert_allclose(sum(sum(bar.y) for bar in figure.data), 6)
    assert figure.data[0].width[0] == 0.9 * 5 / 3 * 86_400_000
