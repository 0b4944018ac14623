"""Warnings that point to the line of the user's script, however deep inside the package they arise."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings

# the package, and what calls the `with` statements in it
_OURS = (os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep, contextlib.__file__)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warns on behalf of the nearest caller outside the package.

    Args:
        message: the text.
        category: class of the warning.
    """
    depth, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, category, stacklevel=depth)
