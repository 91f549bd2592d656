"""What is written to disk: the files of a detector bundle and the tables of the database."""

from tempfile import TemporaryDirectory

from sqlalchemy import MetaData, Table, select

from _generators import markdown
from _generators.markdown import code, table
from ad_core.storage import bundle
from ad_core.storage.store import Store

BUNDLE = {
    "reader": ("json", "Which reader, its settings, and what it learned: columns, categories, scales."),
    "reader_arrays": ("safetensors", "Arrays of the reader."),
    "model": (
        "json",
        "Which method (pretext task with scorer and encoder, classical detector or recipe), its settings and facts.",
    ),
    "weights": ("safetensors", "Weights and buffers of the model; of a classical detector the rows it is fitted on."),
    "calibration": ("parquet", "Scores of the calibration rows, from which percentiles and p-values follow."),
    "calibration_facts": ("json", "Number of calibration rows or blocks, and how they were counted."),
    "calibration_rows": (
        "parquet",
        "Ids, scores and contents of all rows that calibrated at first; `left_out` marks those that a review left out. "
        "The content of a row is two weighted sums of its values, so that another row with its id is not taken for it.",
    ),
    "normals": (
        "safetensors",
        "A sample of training items with embeddings, for neighbours and baselines; 32 scores that loading compares "
        "with.",
    ),
    "normal_rows": ("json", "Row ids of that sample."),
    "residuals": ("safetensors", "Tables: 5 % and 95 % quantile of actual minus expected value on held-out rows."),
    "out_of_bag": (
        "parquet",
        "Scores of training rows by ensemble members that did not see them, with the place of each row among the "
        "training rows and its content: a row keeps such a score only while its values are the same.",
    ),
    "histograms": (
        "json",
        "Histogram of each column of the training rows (bins, range, levels), which new data are compared with.",
    ),
    "watched": ("json", "How much a change of what never changed in training adds to a score, and values far outside."),
    "part_levels": ("safetensors", "Recordings: 99 % quantile of each channel's share of the score."),
    "threshold": ("json", "Every saved alert rule, oldest first; the last one holds."),
}
"""Part of a bundle -> ending of its file, and what it holds."""

INTRO_BUNDLE = """\
`Detector.save` and `train --out` write a folder. Nothing in it is executed or unpickled, so loading a bundle of unknown
origin runs no code. The manifest `{manifest}` holds the format ({format}), the facts of the training and the sha256
checksum of each file; a missing, cut or edited file is an error. A part that is changed later (a threshold, a
calibration) gets a new file such as `calibration@2.parquet`, and the manifest is replaced last.

Bundles of formats 1 and 2 still load, and give the scores that they gave; they watch nothing. A bundle of a newer
format than this version knows is refused with a sentence that says so. When loading, the detector scores 32 stored
items again and compares: another result is an error."""

INTRO_DATABASE = """\
The app keeps data sets, runs, thresholds and verdicts in a database: SQLite in `AD_HOME`, or PostgreSQL by
`AD_DATABASE_URL`. Opening it brings it up to date (newest migration: `{head}`). Scores, maps and explanations are files
in the folder of their run. Nothing is ever overwritten in `threshold` and `verdict`: the newest line counts."""

COLUMNS = {
    "dataset": {
        "id": "Id.",
        "name": "Name that the analyst gave.",
        "modality": "`table`, `image` or `sensor`.",
        "sources": "Absolute paths of the files.",
        "declared": "Roles and kinds of columns, and all else that was declared when the data were opened.",
        "rows": "Number of rows.",
        "fingerprint": "Fingerprint of the content; the same data have the same one.",
        "facts": "Other facts, such as files to score later.",
        "created": "When it was added (UTC).",
    },
    "run": {
        "id": "Id; also the name of its folder in `AD_HOME/runs`.",
        "dataset_id": "Data set that it reads.",
        "kind": "Kind of work: {kinds}.",
        "parent": "Training run whose detector is used.",
        "name": "Name.",
        "note": "Note of the analyst.",
        "config": "Everything that the worker needs: method, preset, seed, settings.",
        "status": "{statuses}.",
        "device": "Device that was asked for.",
        "slot": "Device that it occupies or occupied; one running job per host and slot.",
        "pid": "Process that does the work.",
        "pid_started": "When that process started, so that a reused pid is not mistaken for it.",
        "host": "Machine of the process.",
        "stage": "Stage of the work.",
        "error": "Why it failed, in a sentence.",
        "summary": "What came out: facts of the detector, notices, metrics.",
        "created": "When it was queued (UTC).",
        "started": "When it began (UTC).",
        "ended": "When it ended (UTC).",
        "heartbeat": "Last sign of life (UTC).",
    },
    "threshold": {
        "id": "Number, ascending.",
        "run_id": "Training run that the rule belongs to.",
        "rule": "Kind, value and segment of the rule.",
        "name": "Name of the threshold.",
        "reason": "Why it was chosen.",
        "author": "Who saved it.",
        "created": "When (UTC).",
    },
    "verdict": {
        "id": "Number, ascending.",
        "dataset_id": "Data set of the row.",
        "row_id": "Row.",
        "run_id": "Run whose score was looked at; the verdict outlives it.",
        "verdict": "`anomaly`, `normal`, `unsure`, `data_error`, `seen_before`; empty = takes back the one before.",
        "tag": "Tag.",
        "note": "Note.",
        "author": "Who gave it.",
        "created": "When (UTC).",
        "score": "Score of the row at that moment.",
        "p_value": "p-value of the row at that moment.",
        "threshold": "Rule in force at that moment.",
    },
}
"""Table -> column -> meaning."""


def bundle_page() -> str:
    """Files of a bundle."""
    rows = [(code(f"{stem}.{ending}"), about) for stem, (ending, about) in BUNDLE.items()]
    intro = INTRO_BUNDLE.format(manifest=bundle.MANIFEST, format=bundle.FORMAT)
    return markdown.page("Bundle format", intro, table(["file", "holds"], rows))


def database_page() -> str:
    """Tables and columns with their types."""
    from ad_core.storage.records import KINDS, STATUSES

    head, tables = schema()
    words = {"kinds": ", ".join(map(code, KINDS)), "statuses": ", ".join(map(code, STATUSES))}
    blocks = []
    for name, of_table in tables.items():
        rows = []
        for column in of_table.columns:
            kind = code(str(column.type).lower()) + (" or empty" if column.nullable else "")
            keys = ["primary key"] * column.primary_key
            keys += [f"→ {code(key.target_fullname)}" for key in column.foreign_keys]
            rows.append((code(column.name), kind, ", ".join(keys), COLUMNS[name][column.name].format(**words)))
        blocks += [f"## {name}", table(["column", "type", "key", "meaning"], rows)]
    return markdown.page("Database schema", INTRO_DATABASE.format(head=head), *blocks)


def schema() -> tuple[str, dict[str, Table]]:
    """The newest migration and the tables of a database that was just made, as they are in SQLite."""
    with TemporaryDirectory() as folder:
        engine = Store.open(folder).engine
        found = MetaData()
        found.reflect(engine)
        tables = dict(found.tables)
        with engine.connect() as connection:
            (head,) = connection.execute(select(tables.pop("alembic_version"))).scalars()
        engine.dispose()
    return str(head), tables
