"""Data sets. `digits` ships inside the package; nothing here touches the network on import."""

from . import digits as digits
