"""Reference pages that are made from the code itself, so that they can't disagree with it.

Each module returns one page as MyST Markdown; `write_all` puts them where the Sphinx build finds them. Nothing here
imports Sphinx, so the tests read the pages without building the site.
"""

from collections.abc import Callable
from pathlib import Path

from _generators import api, benchmarks, cli, environment, glossary, methods, rooms, settings, storage

PAGES: dict[str, Callable[[], str]] = {
    "api": api.public_names,
    "plugins": api.plugin_names,
    "cli": cli.page,
    "methods": methods.page,
    "settings": settings.page,
    "bundle": storage.bundle_page,
    "database": storage.database_page,
    "environment": environment.page,
    "glossary": glossary.page,
    "benchmark-results": benchmarks.page,
    "rooms": rooms.page,
}
"""File stem in docs/generated -> what writes it."""


def write_all(folder: Path) -> None:
    """Write every page; one that has not changed keeps its time, so that Sphinx does not read it again."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, page in PAGES.items():
        file, text = folder / f"{stem}.md", page()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
