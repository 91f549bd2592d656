"""The command line."""

from ad_core.cli.app import main

__all__ = ["main"]
