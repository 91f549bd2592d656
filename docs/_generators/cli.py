"""The command line, from the Typer application itself."""

from collections.abc import Iterator
from typing import Any

from _generators import markdown
from _generators.markdown import literal, table

PROGRAM = "python -m ad_core"

INTRO = f"""\
`{PROGRAM}`, or `anomaly-lens` where the package is installed. Exit codes: 0 done, 2 an error that you can correct (one
line on stderr says what is wrong and what to do), 1 a bug (with its stack trace)."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every verb with its full name, such as `verdicts export`."""
    import typer

    from ad_core.cli.app import app

    yield from _below("", typer.main.get_command(app))


def page_of(name: str, command: Any) -> str:
    """Usage, help and parameters of one verb."""
    context = command.context_class(command, info_name=f"{PROGRAM} {name}")
    arguments = [one.metavar or one.name.upper() for one in command.params if not one.opts[0].startswith("-")]
    usage = " ".join([PROGRAM, name, "[OPTIONS]", *arguments])
    rows = []
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            rows.append((f"`{record[0]}`", literal(record[1])))
    return "\n\n".join(
        [
            f"## {name}",
            literal(command.help or ""),
            f"```text\n{usage}\n```",
            table(["argument or option", "meaning"], rows),
        ]
    )


def page() -> str:
    """All verbs."""
    return markdown.page("Command line", INTRO, *(page_of(name, command) for name, command in commands()))


def _below(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        full = f"{prefix} {name}".strip()
        if hasattr(command, "commands"):
            yield from _below(full, command)
        else:
            yield full, command
