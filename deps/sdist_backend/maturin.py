"""Stands in for the build backend of the same name; see backend.py."""

from backend import *  # noqa: F401,F403
