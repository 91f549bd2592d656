"""What the command line imports before it has something to compute, and that its table is right all the same."""

import subprocess
import sys

import pytest
import typer

from ad_core.cli.app import app
from ad_core.training.method_list import imported, read

FOR_HELP = {
    *("ad_core", "typer", "click", "rich", "pygments", "markdown_it", "mdurl", "attr", "shellingham"),
    *("pydantic", "pydantic_core", "annotated_types", "typing_inspection", "typing_extensions", "annotated_doc"),
}
"""Packages that may be imported to show help: Typer and Rich, and what they import themselves."""

FOR_THE_TABLE = FOR_HELP | {"numpy"}
"""Packages that may be imported to list methods: `ad_core.types` needs NumPy."""

CALLS = """
import contextlib, io, os, site, sys
from ad_core.cli import main

for call in sys.argv[1:]:
    sys.argv = ["ad_core", *call.split()]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main()
print(*sorted({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names))
"""


def packages_for(*calls: str) -> set[str]:
    """Names of the packages outside the standard library that these calls import, all in one process."""
    bare = "import sys; print(*sorted({n.partition('.')[0] for n in sys.modules} - sys.stdlib_module_names))"
    before, after = (
        subprocess.run([sys.executable, "-c", *arguments], capture_output=True, text=True, check=True).stdout.split()
        for arguments in ((bare,), (CALLS, *calls))
    )
    return {name for name in after if name not in before and not name.startswith("_")}


def commands(command: typer.core.TyperCommand, path: str = "") -> list[str]:
    """The call of every verb, those within `verdicts` too."""
    inner = getattr(command, "commands", {})
    return [path, *(call for name, verb in inner.items() for call in commands(verb, f"{path} {name}".strip()))]


def test_help_of_every_verb_imports_no_library_that_computes():
    calls = [f"{call} --help".strip() for call in commands(typer.main.get_command(app))]

    assert {"--help", "train --help", "verdicts export --help"} <= set(calls)
    assert packages_for(*calls) <= FOR_HELP


def test_listing_the_methods_imports_no_library_that_computes():
    found = packages_for("methods")

    assert {"ad_core", "rich"} <= found
    assert found <= FOR_THE_TABLE


def test_the_methods_as_read_are_those_that_importing_gives():
    assert read() == imported()


@pytest.mark.parametrize(
    "text", ["frozenset(Modality) - {Modality.IMAGE}", "OTHERS", "frozenset({Modality.TABLE, Modality.CLOUD})"]
)
def test_a_method_whose_kinds_of_data_are_computed_is_imported_instead(text):
    import ast

    from ad_core.training.method_list import _modalities

    with pytest.raises((ValueError, LookupError)):
        _modalities(ast.parse(text, mode="eval").body)
