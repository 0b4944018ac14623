"""Preparing data: sequences."""

from . import sequence as sequence
