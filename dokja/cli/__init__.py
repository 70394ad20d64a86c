"""The command line: `dokja VERB`."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Verbs are loaded only now: every process that a command begins loads this module, too."""
    from dokja.cli.entry import run

    return run(arguments)


__all__ = ["main"]
