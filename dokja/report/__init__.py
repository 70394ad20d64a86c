"""The public pages: static, bilingual, accessible, made from a `Publication` and from nothing else."""

from dokja.report.publication import Publication
from dokja.report.site import write_site

__all__ = ["Publication", "write_site"]
