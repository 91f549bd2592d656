"""The command line."""

from ad_core.cli.app import main as main
