"""A Hub of our own on 127.0.0.1, for the Hub's real client."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from huggingface_hub import constants

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves folders as models by name, and notes which files were asked for.

    Attributes:
        models: folders by `OWNER/MODEL`.
        sizes: told for a file instead of the true one, by its name.
        fetched: names of the files that were sent.
        open: weights are sent while it is set.
    """

    daemon_threads = True

    def __init__(self, models):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models, self.sizes, self.fetched = models, {}, []
        self.open = threading.Event()
        self.open.set()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(models):
    with Hub(models) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        yield hub
        hub.shutdown()


@contextmanager
def instead_of_the_hub(monkeypatch, models, cache):
    """Serves folders where the Hub's client looks for the Hub, into a cache of one's own."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    with serving(models) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE",
            hub.address + "/{repo_id}/resolve/{revision}/{filename}",
        )  # fmt: skip
        yield hub


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._file(send=False)

    def do_GET(self):
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[:2] != ["api", "models"]:
            return self._file(send=True)
        name = "/".join(parts[2:4])
        if name not in self.server.models:
            return self._none("RepoNotFound")
        files = [
            {"rfilename": p.name, "size": self.server.sizes.get(p.name, p.stat().st_size)}
            for p in self.server.models[name].iterdir()
        ]
        body = json.dumps({"_id": "1", "id": name, "sha": REVISION, "siblings": files}).encode()
        return self._answer(body, {"Content-Type": "application/json"}, send=True)

    def _file(self, send):
        owner, model, resolve, _, *rest = self.path.split("?")[0].strip("/").split("/")
        folder = self.server.models.get(f"{owner}/{model}")
        if resolve != "resolve" or folder is None or not (folder / "/".join(rest)).is_file():
            return self._none("EntryNotFound")
        body = (folder / "/".join(rest)).read_bytes()
        if send:
            self.server.fetched.append(rest[-1])
        tag = hashlib.sha256(body).hexdigest()
        return self._answer(body, {"ETag": f'"{tag}"', "X-Repo-Commit": REVISION}, send)

    def _none(self, code):
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, body, headers, send):
        self.send_response(200)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if send:
            if self.path.endswith(".safetensors"):
                self.server.open.wait(30)
            self.wfile.write(body)
