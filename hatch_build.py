"""The one step of the build that `pyproject.toml` can't say."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AppScript(BuildHookInterface):
    """Puts `app.py` beside the pages in the wheel.

    `sources` renames folders only, and `force-include` would also copy the file into editable installations.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"]["app.py"] = "ad_core/_app/app.py"
