"""Programmes and records of any size, and how long dokja takes over them."""
