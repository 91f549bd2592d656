"""What synthetic anomalies of rows do to whole cells, on rows of two numbers that go together and a category."""

import numpy as np
import pandas as pd
import pytest

from ad_core.data.item_set import ItemSet
from ad_core.training.synthetic.anomaly import TrainingItems
from ad_core.training.synthetic.tables import SYNTHETIC_ANOMALIES, TAIL
from ad_core.types import ItemShape, Modality, PartKind, Parts

NUMBER, CATEGORY = PartKind.NUMBER, PartKind.CATEGORY
BY_NAME = {flaw.name: flaw for flaw in SYNTHETIC_ANOMALIES}
SHAPE = ItemShape(
    modality=Modality.TABLE,
    size=(7,),
    parts=Parts(
        names=("a", "b", "kind", "yes"),
        of_entry=(0, 1, 1, 2, 2, 2, 3),
        kinds=(NUMBER, NUMBER, CATEGORY, NUMBER),
        units=(None,) * 4,
    ),
)


def rows(n: int = 200) -> np.ndarray:
    """a, b = 2 a with a missing flag, one of three levels by the sign of a, and yes or no."""
    random = np.random.default_rng(0)
    a = random.normal(size=n)
    missing = random.random(n) < 0.2
    kind = np.eye(3)[(a > 0.5).astype(int) + (a > -0.5)]
    return np.column_stack([a, np.where(missing, 0, 2 * a), missing, kind, a > 1]).astype(np.float32)


@pytest.fixture(scope="module")
def stock() -> TrainingItems:
    return TrainingItems(item_set(rows(), SHAPE), np.arange(200))


def item_set(x: np.ndarray, shape: ItemShape) -> ItemSet:
    n = len(x)
    lines = pd.DataFrame({"row_id": [f"r{i}" for i in range(n)], "sample": np.arange(n), "note": ""})
    return ItemSet(shape, x, pd.DataFrame({"start": np.arange(n)}), lines)


def made(name: str, stock: TrainingItems, count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Real rows, and what the flaw makes of them."""
    random, x = np.random.default_rng(1), rows()[:count]
    return x, np.stack([BY_NAME[name].make(row.copy(), stock, random) for row in x])


@pytest.mark.parametrize("name", BY_NAME)
def test_a_category_stays_one_of_its_levels_and_a_flag_stays_a_flag(name: str, stock: TrainingItems) -> None:
    _, changed = made(name, stock)

    assert (np.sort(changed[:, 3:6], axis=1) == [0, 0, 1]).all()
    assert np.isin(changed[:, [2, 6]], (0, 1)).all()


@pytest.mark.parametrize("name", ["foreign_cells", "broken_dependency"])
def test_cells_are_copied_whole_from_real_rows(name: str, stock: TrainingItems) -> None:
    _, changed = made(name, stock)

    for entries in ([0], [1, 2], [3, 4, 5], [6]):
        real = {tuple(cell) for cell in rows()[:, entries]}
        assert {tuple(cell) for cell in changed[:, entries]} <= real


def test_foreign_cells_leave_half_of_the_columns_as_they_are(stock: TrainingItems) -> None:
    x, changed = made("foreign_cells", stock)
    moved = [(x[:, entries] != changed[:, entries]).any(1) for entries in ([0], [1, 2], [3, 4, 5], [6])]

    assert np.sum(moved, axis=0).max() == 2


def test_a_tail_shift_pushes_one_plain_number_outwards_and_never_a_missing_one(stock: TrainingItems) -> None:
    x, changed = made("tail_shift", stock)
    shift = (changed - x)[:, :2]

    assert ((shift != 0).sum(1) == 1).all()
    assert (np.sign(shift) * np.sign(x[:, :2] - stock.middle[:2]) >= 0).all()
    size = np.abs(shift / stock.spread[:2]).max(1)
    assert TAIL[0] - 1e-4 <= size.min()
    assert size.max() <= TAIL[1] + 1e-4
    assert (shift[x[:, 2] == 1, 1] == 0).all()
    assert np.array_equal(x[:, 2:], changed[:, 2:])


def test_a_row_between_two_lies_on_the_line_from_one_to_the_other(stock: TrainingItems) -> None:
    x, changed = made("between", stock)
    low, high = rows()[:, 0].min(), rows()[:, 0].max()

    assert not np.isclose(changed[:, 0], x[:, 0]).all()
    assert low <= changed[:, 0].min()
    assert changed[:, 0].max() <= high
    random = np.random.default_rng(1)
    others = stock.items[random.integers(len(stock.items), size=5)]
    other = others[np.square(others - x[0]).sum(1).argmax()]
    share = (changed[0, 0] - x[0, 0]) / (other[0] - x[0, 0])
    assert 0.3 <= share <= 0.7
    assert changed[0, 1] == pytest.approx(x[0, 1] + share * (other[1] - x[0, 1]), abs=1e-5)


def test_a_broken_dependency_keeps_each_column_and_loses_what_goes_together(stock: TrainingItems) -> None:
    x, changed = made("broken_dependency", stock, 200)
    there = (x[:, 2] == 0) & (changed[:, 2] == 0)

    assert np.corrcoef(x[there, 0], x[there, 1])[0, 1] > 0.99
    assert abs(np.corrcoef(changed[there, 0], changed[there, 1])[0, 1]) < 0.3


def test_anywhere_stays_within_the_usual_range(stock: TrainingItems) -> None:
    _, changed = made("anywhere", stock)

    assert (changed[:, :2] >= stock.range[0, :2] - 1e-5).all()
    assert (changed[:, :2] <= stock.range[1, :2] + 1e-5).all()


def test_a_table_of_one_yes_or_no_can_have_none_of_these_flaws() -> None:
    parts = Parts(names=("yes",), of_entry=(0,), kinds=(NUMBER,), units=(None,))
    x = (np.arange(60) % 2).astype(np.float32)[:, None]
    alone = TrainingItems(item_set(x, ItemShape(modality=Modality.TABLE, size=(1,), parts=parts)), np.arange(60))

    assert all(flaw.make(x[0].copy(), alone, np.random.default_rng(0)) is None for flaw in SYNTHETIC_ANOMALIES)
