"""RemoteMonitor, with a server on this machine (13.8)."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest

from pykeras.callbacks import RemoteMonitor


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.server.received.append((self.path, dict(self.headers), body))
            self.send_response(self.server.answer)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.received, server.answer = [], 200
    server.root = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


LOGS = {"loss": 0.5, "acc": np.float32(0.25), "list": np.arange(2), "cell": np.array(3)}
SENT = {"epoch": 4, "loss": 0.5, "acc": 0.25, "list": [0, 1], "cell": 3}


def test_13_8_a_form(server):
    RemoteMonitor(server.root, headers={"X-Run": "7"}).on_epoch_end(4, LOGS)
    ((path, headers, body),) = server.received
    assert path == "/publish/epoch/end/" and headers["X-Run"] == "7"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert json.loads(parse_qs(body)["data"][0]) == SENT


def test_13_8_json_and_other_names(server):
    RemoteMonitor(server.root, path="/x", send_as_json=True).on_epoch_end(4, LOGS)
    RemoteMonitor(server.root, field="values").on_epoch_end(0)
    (path, headers, body), (_, _, form) = server.received
    assert (path, headers["Content-Type"], json.loads(body)) == ("/x", "application/json", SENT)
    assert parse_qs(form) == {"values": ['{"epoch": 0}']}


def test_13_8_failures_only_warn(server):
    server.answer = 500
    with pytest.warns(UserWarning, match="answered 500"):
        RemoteMonitor(server.root).on_epoch_end(0, LOGS)
    with pytest.warns(UserWarning, match="could not reach RemoteMonitor root server at http://127"):
        RemoteMonitor("http://127.0.0.1:1").on_epoch_end(0, LOGS)
    with pytest.warns(UserWarning, match="could not reach RemoteMonitor root server at nonsense"):
        RemoteMonitor("nonsense").on_epoch_end(0, LOGS)
