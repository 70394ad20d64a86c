"""An audit as a page that a jury can read: a file without scripts for each language, drawings with their numbers."""

from dokja.lineage.page.writing import page_places, render, write_page

__all__ = ["page_places", "render", "write_page"]
