"""The command line: `dokja VERB`."""

from collections.abc import Sequence

INTERRUPTED = 130
"""128 and the number of the signal, as shells count it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Verbs are loaded only now: every process that a command begins loads this module, too."""
    try:
        from dokja.cli.entry import run
    except KeyboardInterrupt:
        return INTERRUPTED
    return run(arguments)


__all__ = ["main"]
