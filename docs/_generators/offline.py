"""A built site opens without a network: nothing in it is loaded from another host. Ordinary links are fine."""

import re
from html.parser import HTMLParser
from pathlib import Path

LOADED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "object": ("data",),
    "embed": ("src",),
}
"""Tag -> attributes whose address a browser loads by itself."""

LINKS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch", "manifest"}
"""`rel` of a <link> that a browser acts on by itself."""

ELSEWHERE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
IN_CSS = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])\s*((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)


def loads_from_elsewhere(site: Path) -> list[str]:
    """`file: address` of everything that a page or a style sheet would load from another host."""
    found = []
    for file in sorted(site.rglob("*")):
        if file.suffix == ".html":
            page = _Page()
            page.feed(file.read_text(encoding="utf-8"))
            found += [f"{file.relative_to(site)}: {address}" for address in page.found]
        elif file.suffix == ".css":
            addresses = IN_CSS.findall(file.read_text(encoding="utf-8"))
            found += [f"{file.relative_to(site)}: {address}" for address in addresses]
    return found


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        addresses = [values.get(name, "") for name in LOADED.get(tag, ())]
        if tag == "link" and LINKS & set(values.get("rel", "").split()):
            addresses.append(values.get("href", ""))
        self.found += [address for address in addresses if ELSEWHERE.match(address)]
        self.found += IN_CSS.findall(values.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += IN_CSS.findall(data)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._in_style = False
