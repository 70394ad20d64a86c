"""The command line: `dokja VERB`."""

from dokja.cli.main import main

__all__ = ["main"]
