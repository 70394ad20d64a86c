"""Benchmarks of the weight audit."""
