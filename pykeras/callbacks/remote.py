"""The callback that reports to a web server.

Source: the public behaviour of keras/callbacks.py (2.1.6; `send_as_json` as there).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..utils._warn import warn
from .base import Callback

# seconds after which a server that does not answer counts as unreachable
_TIMEOUT = 10.0


class RemoteMonitor(Callback):
    """Sends the values of every epoch to a server, by an HTTP POST.

    Args:
        root: address of the server.
        path: path below it.
        field: name of the form field that holds the values as JSON (epoch, loss, …).
        headers: dict of HTTP headers to send along.
        send_as_json: send the JSON itself, as application/json, and no form.

    A server that cannot be reached, or that reports an error, only causes a warning.

    Example:
        >>> monitor = RemoteMonitor(root='http://localhost:9000', send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        from urllib import error, parse, request  # costs time, and few need it

        values = {"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}}
        text = json.dumps(values)
        headers = dict(self.headers or {})
        if self.send_as_json:
            headers.setdefault("Content-Type", "application/json")
        else:
            text = parse.urlencode({self.field: text})
        try:
            call = request.Request(self.root + self.path, text.encode(), headers, method="POST")
            request.urlopen(call, timeout=_TIMEOUT).close()
        except error.HTTPError as failure:
            warn(f"RemoteMonitor root server at {self.root} answered {failure.code}: {failure.reason}")
            failure.close()
        except (OSError, ValueError) as failure:
            warn(f"Warning: could not reach RemoteMonitor root server at {self.root} ({failure})")


def _plain(value: Any) -> Any:
    """Turns NumPy's numbers and arrays into Python's."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
