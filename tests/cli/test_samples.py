"""`samples` lists what ships with the product and copies it."""

import subprocess
import sys
from pathlib import Path

from ad_core.data.sample_datasets import samples


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ad_core", "samples", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_every_sample_is_listed_with_files_that_exist(tmp_path):
    lines = run(cwd=tmp_path).stdout.splitlines()

    assert [line.partition(" (")[0] for line in lines] == [sample.title for sample in samples()]
    assert all(Path(path).exists() for line in lines for path in line.partition("): ")[2].split(", "))


def test_a_copy_holds_the_files_that_the_documentation_names_and_is_never_written_over(tmp_path):
    done = run("--copy", "sample_data", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, f"{len(samples())} samples copied to sample_data\n")
    assert (tmp_path / "sample_data" / "card_payments_synthetic" / "train.csv").is_file()
    assert not list((tmp_path / "sample_data").rglob("*.py"))

    again = run("--copy", "sample_data", cwd=tmp_path)

    assert again.returncode == 2
    assert "Name a folder that does not exist yet" in again.stderr
