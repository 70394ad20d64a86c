"""A programme on disk: read it, run it."""

from dokja.programme.folder import Programme, open_programme
from dokja.programme.run import Run, hidden_sources, publish, run

__all__ = ["Programme", "Run", "hidden_sources", "open_programme", "publish", "run"]
