"""What a wheel needs: files that are found in it and in a checkout, and one place that says the version."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import ad_core
from ad_core.data.product_files import product_folder

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", re.M)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_in_a_checkout_the_files_of_the_app_lie_beside_the_package():
    assert product_folder() == ROOT
    assert {"app.py", "pages", ".streamlit", "sample_data"} <= {path.name for path in ROOT.iterdir()}


def test_in_an_installed_wheel_they_lie_within_the_package(tmp_path):
    package = tmp_path / "site-packages" / "ad_core"
    (package / "_app").mkdir(parents=True)

    assert product_folder(package) == package / "_app"


def test_the_version_is_said_by_the_package_alone():
    places = PROJECT["project"].get("version"), PROJECT["project"]["dynamic"], PROJECT["tool"]["hatch"]["version"]

    assert places == (None, ["version"], {"path": "ad_core/__init__.py"})
    assert re.fullmatch(r"\d+\.\d+\.\d+", ad_core.__version__)


@pytest.mark.parametrize("folder", ["pages", "sample_data", ".streamlit"])
def test_no_folder_of_the_wheel_takes_a_common_name_among_the_packages_of_others(folder):
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert wheel["sources"][folder] == f"ad_core/_app/{folder}"
    assert set(wheel["only-include"]) == {"ad_core", *wheel["sources"]}


def pins(file: str) -> dict[str, Version]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return {canonicalize_name(name): Version(version) for name, version in PIN.findall(text)}


def requirements() -> list[Requirement]:
    extras = PROJECT["project"]["optional-dependencies"]
    return [Requirement(text) for text in (*PROJECT["project"]["dependencies"], *extras["dev"])]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_the_lowest_version_that_is_allowed_is_the_one_that_is_tested(requirement):
    (bound,) = requirement.specifier
    release = Version(bound.version).release
    parts = release if len(release) > 1 else (*release, 0)  # >=14 means 14.0, not 14.9
    tested = pins("constraints-lowest.txt")[canonicalize_name(requirement.name)]

    assert bound.operator == ">="
    assert tested.release[: len(parts)] == parts


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_has_a_pin(requirement):
    pinned = pins("constraints.txt")[canonicalize_name(requirement.name)]

    assert requirement.specifier.contains(pinned)


def test_what_the_extras_ask_for_is_tested_too():
    extras = PROJECT["project"]["optional-dependencies"]

    assert {*extras["hub"], *extras["postgresql"]} <= set(extras["dev"])
