"""Preparing data: images, sequences, text."""

from . import image as image
from . import sequence as sequence
from . import text as text
