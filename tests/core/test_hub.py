"""A model goes to the Hub and comes back: against a stand-in of its HTTP API on this machine."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlparse

import pytest
import torch

from ltp_core import PrunedModel
from ltp_core.checkpoints import Settings
from ltp_core.hub import card
from tests.some import some

ROOT = Path(__file__).resolve().parents[2]
REPO, COMMIT = "someone/tiny", "1234567890abcdef1234567890abcdef12345678"


class StandIn(BaseHTTPRequestHandler):
    """As much of the Hub as a push and a download ask for."""

    files: dict[str, bytes]
    seen: list[str]

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlparse(self.path).path
        self.seen.append(f"POST {path}")
        if self.headers.get("Authorization") != "Bearer hf_secret":
            return self._json({"error": "Invalid username or password."}, 401)
        if path == "/api/repos/create":
            return self._json({"url": f"{self._here()}/{REPO}", "name": REPO, "id": REPO})
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if path.endswith("/preupload/main"):
            asked = json.loads(body)["files"]
            return self._json(
                {
                    "files": [
                        {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in asked
                    ]
                }
            )
        if path.endswith("/commit/main"):
            for line in body.decode().splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            url = f"{self._here()}/{REPO}/commit/{COMMIT}"
            return self._json({"success": True, "commitOid": COMMIT, "commitUrl": url})
        return self._json({"error": f"unknown {path}"}, 404)

    def do_HEAD(self):
        self._get(body=False)

    def do_GET(self):
        self._get(body=True)

    def _get(self, body):
        path = unquote(urlparse(self.path).path)
        self.seen.append(f"{self.command} {path}")
        if path.startswith(f"/api/models/{REPO}"):
            siblings = [{"rfilename": name, "size": len(data)} for name, data in self.files.items()]
            tree = [
                {"type": "file", "path": n, "size": len(d), "oid": hashlib.sha1(d).hexdigest()}
                for n, d in self.files.items()
            ]
            info = {"id": REPO, "modelId": REPO, "sha": COMMIT, "private": False, "siblings": siblings}
            return self._json(tree if "/tree/" in path else info)
        _, _, name = path.partition("/resolve/")
        data = self.files.get(name.partition("/")[2])
        if not path.startswith(f"/{REPO}/resolve/") or data is None:
            return self._json({"error": "Repository not found"}, 404)
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)
        return None

    def _here(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def _json(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    handler = type("Handler", (StandIn,), {"files": {}, "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleNamespace(
        address=f"http://127.0.0.1:{server.server_port}",
        files=handler.files,
        seen=handler.seen,
        home=tmp_path_factory.mktemp("hf"),
    )
    server.shutdown()


def python(hub, code, *arguments, token="hf_secret"):
    """Run code in a process that knows the stand-in as the Hub."""
    environment = {**os.environ, "HF_ENDPOINT": hub.address, "HF_HOME": str(hub.home), "HF_TOKEN": token}
    environment |= {"OMP_NUM_THREADS": "1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=200)


PUSH = """
import sys
from types import SimpleNamespace
from ltp_core import PrunedModel
points = [SimpleNamespace(factor=f, flops_reduction=r, agreement=a, score=s)
          for f, r, a, s in ((0.0, 1.0, 1.0, 0.9), (1.0, 1.83, 0.98, 0.895))]
try:
    print(PrunedModel.from_pretrained(sys.argv[1]).push_to_hub(sys.argv[2], curve=points))
except ValueError as error:
    sys.exit(f"refused: {error}")
"""
PULL = """
import sys
from ltp_core import PrunedModel
model = PrunedModel.from_pretrained(sys.argv[1])
found = model.predict("a good film")
print(model.digest(), found.trace.alive, model.thresholds)
"""


@pytest.fixture(scope="module")
def folder(tiny_bert, make_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    PrunedModel(tiny_bert(), make_tokenizer(), (0.05, 0.08, 0.1)).save_pretrained(folder)
    return folder


def test_what_was_pushed_is_loaded_and_is_the_same(hub, folder):
    pushed = python(hub, PUSH, folder, REPO)
    assert pushed.returncode == 0, (pushed.stderr, hub.seen)
    assert pushed.stdout.strip() == f"{hub.address}/{REPO}/commit/{COMMIT}"
    assert {"config.json", "model.safetensors", "ltp.safetensors", "ltp_config.json"} <= set(hub.files)
    loaded = python(hub, PULL, REPO)
    assert loaded.returncode == 0, (loaded.stderr, hub.seen)
    here = PrunedModel.from_pretrained(folder)
    said = here.predict("a good film")
    assert loaded.stdout.split() == f"{here.digest()} {said.trace.alive} {here.thresholds}".split()
    text = hub.files["README.md"].decode()
    assert f'PrunedModel.from_pretrained("{REPO}")' in text
    assert "| 1 | 1.83× | 98.0 | 89.5 |" in text and "5.00 %, 8.00 %, 10.00 %" in text


def test_the_hub_says_no_in_one_line(hub, folder):
    refused = python(hub, PUSH, folder, REPO, token="hf_wrong")
    assert refused.returncode == 1 and f"refused: cannot push to {REPO}: " in refused.stderr
    assert refused.stderr.strip().splitlines()[-1].startswith("refused: ")
    refused = python(hub, PUSH, folder, "no/such/../name")
    assert "refused: cannot push to no/such/../name: " in refused.stderr


def test_the_card_of_a_shipped_model_has_what_was_measured():
    model = PrunedModel.from_pretrained("sst2")
    text, found = card("me/sst2", model), model.settings.results["development"]
    row = f"| development | {found['examples']} | {found['metric']} | {100 * found['dense']['score']:.1f} |"
    assert row in text and f"{found['flops_reduction']:.2f}×" in text
    for theta in some(model.thresholds):
        assert f"{100 * theta:.2f} %" in text


def test_the_card_of_a_model_that_nobody_measured(tiny_bert):
    model = PrunedModel(tiny_bert(), None, None, Settings())
    assert "Nothing yet." in card("me/new", model) and torch.is_tensor(next(model.parameters()))
