"""The glossary: the same entries as in the help of the app's pages."""

from _generators import markdown
from pages._ui.shell.glossary import GLOSSARY, sentence


def page() -> str:
    """All terms in alphabetical order."""
    terms = "\n\n".join(f"{word}\n: {sentence(word)}" for word in sorted(GLOSSARY, key=str.lower))
    return markdown.page("Glossary", "The app shows the same texts under *Help* on each page.", terms)
