"""Reports tell which data and settings were used, not how the folders of a machine are called."""

import shlex
from pathlib import Path

import pytest

from ad_core.storage.shown_paths import command_in_home, short_sources, without_folders


@pytest.mark.parametrize(
    ("sources", "shown"),
    [
        (["/srv/secret/pump.csv"], ["pump.csv"]),
        (["/srv/secret/a.csv", "/srv/secret/b.csv"], ["a.csv", "b.csv"]),
        (["/srv/secret/plates/train", "/srv/secret/plates/test"], ["train", "test"]),
        (["/srv/secret/may/a.csv", "/srv/secret/june/a.csv"], ["may/a.csv", "june/a.csv"]),
        (["/srv/a.csv", "b.csv"], ["a.csv", "b.csv"]),
        ([], []),
    ],
)
def test_sources_are_named_as_briefly_as_they_differ(sources, shown):
    assert short_sources(sources) == shown


def test_folders_in_settings_are_named_by_their_last_part():
    settings = {"encoder": {"folder": "/srv/secret/dinov2-small", "width": 8}, "x": [r"C:\models\vit", "plain", "a/b"]}

    assert without_folders(settings) == {
        "encoder": {"folder": "dinov2-small", "width": 8},
        "x": ["vit", "plain", "a/b"],
    }
    assert without_folders(None) is None


def test_commands_name_the_folder_of_the_installation_by_its_variable():
    home = Path("/srv/my home")

    written = command_in_home("score", "/srv/my home/runs/a b/bundle", "my data.csv", home=home)

    assert written == "python -m ad_core score \"$AD_HOME\"/'runs/a b/bundle' 'my data.csv'"
    assert shlex.split(written)[4] == "$AD_HOME/runs/a b/bundle"
