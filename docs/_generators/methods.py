"""Everything that is registered: recipes, pretext tasks, encoders, scorers, classical detectors and readers."""

from typing import Any, get_type_hints

from _generators import markdown
from _generators.markdown import code, literal, table
from _generators.settings import settings_table
from ad_core.data.reader import READERS, Reader
from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.recipe import RECIPES, Recipe
from ad_core.methods.reference import REFERENCES, Reference
from ad_core.methods.scorer import SCORERS, Scorer
from ad_core.registry import Registry

REGISTRIES: dict[str, Registry] = {
    "Recipes": RECIPES,
    "Pretext tasks": PRETEXTS,
    "Scorers": SCORERS,
    "Encoders": ENCODERS,
    "Classical detectors": REFERENCES,
    "Readers": READERS,
}
"""Heading -> the registry whose plug-ins stand below it."""

CONTRACTS: dict[str, type] = dict(zip(REGISTRIES, (Recipe, Pretext, Scorer, Encoder, Reference, Reader), strict=True))

SECTIONS = {"Scorers": "scorer", "Encoders": "encoder", "Readers": "reader"}
"""Heading -> the section of `--set` that its settings belong to; all others take `pretext`."""

ABOUT = {
    "Recipes": "A recipe is a preset ensemble. `--pretext balanced` takes the one for the kind of data at hand; the "
    "name in the table is that of its file.",
    "Pretext tasks": "A pretext task trains a network on a question made from the data themselves (self-supervised "
    "learning).",
    "Scorers": "A scorer turns a trained pretext task into one anomaly score per item (`--scorer`).",
    "Encoders": "An encoder is the network that a pretext task trains (`--set encoder.name=...`).",
    "Classical detectors": "Detectors without a pretext task, fitted with every run on the same rows for comparison. "
    "Each can be trained on its own (`--pretext isolation_forest`).",
    "Readers": "A reader turns files into items and learns scales and categories from the training rows.",
}

KINDS = {"table": "tables", "image": "images", "sensor": "recordings"}


def page() -> str:
    """One section per kind of plug-in: first what there is, then each with its settings."""
    blocks = []
    for heading, registry in REGISTRIES.items():
        classes = [registry.get(name) for name in registry.names()]
        overview = [(f"[{code(cls.name)}](#{_anchor(heading, cls)})", cls.title, _modalities(cls)) for cls in classes]
        blocks += [f"## {heading}", ABOUT[heading], table(["name", "title", "works on"], overview)]
        blocks += [_card(heading, cls) for cls in classes]
    return markdown.page(
        "Methods",
        "Made from the registries of this installation: plug-ins of other packages appear here as well.",
        *blocks,
    )


def _card(heading: str, cls: Any) -> str:
    texts = [(name.capitalize(), getattr(cls, name, "")) for name in _texts(CONTRACTS[heading])]
    lines = [f"**{name}:** {literal(text)}" for name, text in texts if text]
    lines += [f"**Not for {KINDS[str(kind)]}:** {literal(why)}" for kind, why in getattr(cls, "not_for", {}).items()]
    defaults = getattr(cls, "reader_defaults", {})
    if defaults:
        shown = ", ".join(code(f"reader.{key}={value}") for key, value in defaults.items())
        lines.append(f"**Reader settings unless you choose others:** {shown}")
    section = SECTIONS.get(heading, "pretext")
    head = f"({_anchor(heading, cls)})=\n### {code(cls.name)}: {cls.title}"
    return "\n\n".join([head, "Works on " + _modalities(cls) + ".", *lines, settings_table(section, cls.Settings)])


def _texts(contract: type) -> list[str]:
    """The card texts that a contract declares, in its order, whatever they are called."""
    declared = [name for name, hint in get_type_hints(contract).items() if str(hint) == "typing.ClassVar[str]"]
    return [name for name in declared if name not in ("name", "title")]


def _modalities(cls: Any) -> str:
    return ", ".join(KINDS[str(modality)] for modality in sorted(cls.modalities, key=list(KINDS).index))


def _anchor(heading: str, cls: Any) -> str:
    return f"{heading.lower().replace(' ', '-')}-{cls.name.replace('_', '-')}"
