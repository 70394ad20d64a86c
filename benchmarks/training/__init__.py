"""Small real models, trained from nothing on data made here, whose lineage is therefore known.

Training needs JAX (`pip install dokja[training]`); everything else in this package needs NumPy alone.
"""
