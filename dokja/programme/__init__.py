"""A programme on disk: read it, run it. What is worked out for its pages stands in `publishing`, which loads more."""

from dokja.programme.folder import Programme, open_programme
from dokja.programme.run import Run, hidden_sources, run

__all__ = ["Programme", "Run", "hidden_sources", "open_programme", "run"]
