"""`verdicts export` and `verdicts import`, each a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ad_core.storage import results, verdicts
from ad_core.storage.store import Store


@pytest.fixture
def scored(tmp_path: Path) -> tuple[Store, str]:
    """An installation with a run on three rows, two of which somebody called something."""
    store = Store.open(tmp_path / "home")
    data = store.add_dataset("pumps", "table", ["pumps.csv"], {}, 3, "f", {}).id
    run = store.add_run(data, "train", {}, "first").id
    table = {"row_id": ["a", "b", "c"], "score": [3.0, 2.0, 1.0], "percentile": 50.0, "p_value": 0.1}
    results.publish(store.folder(run), "scores", pd.DataFrame(table))
    verdicts.give(store, run, ["a", "b"], "unsure", author="Ada")
    verdicts.give(store, run, ["a"], "anomaly", author="Ada", note="hot")
    return store, run


def call(store: Store, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ad_core", "verdicts", *map(str, arguments)]
    env = {**os.environ, "AD_HOME": str(store.home)}
    env.pop("AD_DATABASE_URL", None)
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_verdicts_go_to_a_file_and_come_back_once(scored, tmp_path):
    store, run = scored
    file = tmp_path / "said.csv"

    out = call(store, "export", run, file)
    back = call(store, "import", run, file)

    assert out.returncode == back.returncode == 0, out.stderr + back.stderr
    assert out.stdout.startswith("3 verdicts on 2 rows")
    assert back.stdout == "0 verdicts were added, 3 there already.\n"


def test_only_the_newest_words_can_be_written(scored, tmp_path):
    store, run = scored

    call(store, "export", store.run(run).dataset_id, tmp_path / "new" / "said.parquet", "--newest")

    found = pd.read_parquet(tmp_path / "new" / "said.parquet")
    assert found[["row_id", "verdict"]].to_numpy().tolist() == [["b", "unsure"], ["a", "anomaly"]]


def test_a_list_typed_by_hand_is_added_under_a_name(scored, tmp_path):
    store, run = scored
    (tmp_path / "mine.csv").write_text("row_id,verdict\nc,normal\n")

    done = call(store, "import", run, tmp_path / "mine.csv", "--author", "Bo")

    assert done.stdout == "1 verdict was added, 0 there already.\n"
    line = verdicts.history(store, store.run(run).dataset_id, "c").iloc[0]
    assert (line["verdict"], line["author"]) == ("normal", "Bo")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "nowhere", "said.csv"), "neither a run nor a data set 'nowhere'"),
        (("export", "{run}", "said.xlsx"), "Choose a name that ends in .csv"),
        (("import", "{run}", "{folder}/none.csv"), "can't be read: No such file"),
        (("import", "{run}", "{folder}/wrong.csv"), "Did you mean 'normal'?"),
    ],
)
def test_what_can_be_mended_is_one_line_and_exit_code_two(scored, tmp_path, arguments, said):
    store, run = scored
    (tmp_path / "wrong.csv").write_text("row_id,verdict\nc,norml\n")

    done = call(store, *(word.format(run=run, folder=tmp_path) for word in arguments))

    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
