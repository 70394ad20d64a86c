"""Bundles: packed, verified, replayed."""
