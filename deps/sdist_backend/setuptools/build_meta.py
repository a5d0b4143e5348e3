"""Stands in for the build backend of the same name; see ../backend.py."""

import backend as __legacy__  # noqa: F401
from backend import *  # noqa: F401,F403
