"""Stands in for the package of the same name; see ../backend.py."""

__version__ = "80.0.0"
