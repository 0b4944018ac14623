"""Loops over Python and NumPy data, compiled by Cython; independent of the engine."""
