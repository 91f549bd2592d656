"""Clean tables: payments with one column of each kind."""

import numpy as np
import pandas as pd

SHOPS = ["food", "fuel", "travel", "Bäckerei"]


def clean_table(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """An id, numbers, a category, a boolean, a date, a constant, free text and a label."""
    shop = rng.choice(SHOPS, rows)
    return pd.DataFrame(
        {
            "payment": [f"P{number:05d}" for number in rng.permutation(rows)],
            "amount [EUR]": (np.where(shop == "fuel", 70.0, 30.0) * rng.lognormal(0, 0.2, rows)).round(2),
            "shop": shop,
            "hour": rng.integers(8, 19, rows),
            "card_present": rng.random(rows) < 0.8,
            "born": pd.Timestamp("1970-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), unit="D"),
            "errors": 0,
            "remark": [" ".join(rng.choice(["paid", "at", "the", "till", "again"], 4)) for _ in range(rows)],
            "is_fraud": (rng.random(rows) < 0.05).astype(int),
        }
    )
