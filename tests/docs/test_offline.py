"""The check that runs after each build of the documentation notices what a browser would load from elsewhere."""

import pytest
from _generators.offline import loads_from_elsewhere

LINK = '<a href="https://example.org">a link</a>'


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/mathjax.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<link rel="preload icon" href="https://cdn.example/x.svg">',
        '<img src="http://example.org/a.png">',
        '<div style="background: url(https://example.org/a.png)"></div>',
        '<style>@import "https://fonts.example/css";</style>',
    ],
)
def test_a_page_that_needs_a_network_is_noticed(tmp_path, html):
    (tmp_path / "page.html").write_text(f"<html>{LINK}{html}</html>", encoding="utf-8")

    assert len(loads_from_elsewhere(tmp_path)) == 1


def test_links_and_own_files_are_fine(tmp_path):
    own = '<script src="../_static/a.js"></script><link rel="canonical" href="https://example.org/page">'
    (tmp_path / "page.html").write_text(f"{LINK}{own}<style>a {{ color: red }}</style>", encoding="utf-8")
    (tmp_path / "look.css").write_text("@font-face { src: url('font.woff2') }", encoding="utf-8")

    assert loads_from_elsewhere(tmp_path) == []


def test_a_font_of_another_host_is_noticed(tmp_path):
    (tmp_path / "look.css").write_text("@font-face { src: url('https://fonts.example/f.woff2') }", encoding="utf-8")

    assert loads_from_elsewhere(tmp_path) == ["look.css: https://fonts.example/f.woff2"]
