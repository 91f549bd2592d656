"""`whatif` and `counterfactual` on the command line."""

import json

import pytest

from ad_core import pipeline
from ad_core.cli.app import main


@pytest.fixture(scope="module")
def bundle(payments_file, tmp_path_factory):
    dataset = pipeline.open_dataset(payments_file, label="is_fraud", id="payment")
    return pipeline.train(dataset, "isolation_forest").save(tmp_path_factory.mktemp("bundles") / "forest")


def run(monkeypatch, capsys, *arguments) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["ad_core", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_an_edited_row_is_scored_beside_the_original(bundle, payments_file, monkeypatch, capsys):
    words = ["whatif", bundle, payments_file, "--row", "P00299", "--set", "hour=12", "--set", "amount [EUR]=30"]

    code, out, _ = run(monkeypatch, capsys, *words)
    assert code == 0
    first, second = out.strip().splitlines()
    assert first.startswith("as it is: score")
    assert first.endswith(", an alert")
    assert second.startswith("hour 3 → 12, amount [EUR] 4,980 → 30: score")

    code, out, _ = run(monkeypatch, capsys, *words, "--json")
    before, after = json.loads(out)
    assert after["score"] < before["score"]
    assert before["severity"] != "Low"


def test_the_smallest_change_is_printed(bundle, payments_file, monkeypatch, capsys):
    words = ["counterfactual", bundle, payments_file, "--row", "P00299", "--fixed", "card_present"]

    code, out, _ = run(monkeypatch, capsys, *words)
    assert code == 0
    assert "amount [EUR] 4,980 → " in out
    assert "card_present" not in out

    code, out, _ = run(monkeypatch, capsys, *words, "--json")
    found = json.loads(out)
    assert found["found"]
    assert found["after"]["score"] < found["begin"] <= found["before"]["score"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["whatif", "--row", "P00299", "--set", "hour"], "is no assignment"),
        (["whatif", "--row", "P00299", "--set", "hour=noon"], "is not a number"),
        (["whatif", "--row", "P9", "--set", "hour=3"], "no row 'P9'"),
        (["counterfactual", "--row", "P00299", "--fixed", "colour"], "'colour' can't be fixed"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(bundle, payments_file, monkeypatch, capsys, words, said):
    code, _, err = run(monkeypatch, capsys, words[0], bundle, payments_file, *words[1:])

    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
