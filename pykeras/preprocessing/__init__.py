"""Preparing data: sequences, text."""

from . import sequence as sequence
from . import text as text
