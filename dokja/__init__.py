"""Dokja (독자): runs and adjudicates a staged foundation-model programme so that anyone can check the result."""

__version__ = "0.1.0"
