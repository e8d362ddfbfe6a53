"""Raw requests to the served page: each test fails without its defence."""

import json
import os
import re
import select
import socket
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx
import pytest
from waiting import until

from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import ASSETS
from tta_demo.ui.kit.limits import FILE, REQUEST

PICTURE = ASSETS / "examples" / "nuclei-1.png"
API = "gradio_api"


def join(url, data, **more):
    body = {"data": data, "fn_index": 0, "session_hash": "someone"} | more
    return httpx.post(f"{url}{API}/queue/join", json=body)


def upload(url, content=b"abc", name="a.txt", field="files"):
    return httpx.post(f"{url}{API}/upload", files={field: (name, content)})


def stored(demo):
    walked = os.walk(demo.app.uploaded_file_dir)  # folders may go meanwhile
    return {Path(folder, name) for folder, _, names in walked for name in names}


def chunked(url, path, chunk, most):
    """Sends chunks without saying how many until there is an answer; returns it, and the bytes."""
    place, sent = urlsplit(url), 0
    with socket.create_connection((place.hostname, place.port)) as line:
        head = "Host: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json"
        line.sendall(f"POST /{API}/{path} HTTP/1.1\r\n{head}\r\n\r\n".encode())
        while sent < most:
            line.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            sent += len(chunk)
            if select.select([line], [], [], 0.01)[0]:
                return line.recv(64).decode(), sent
    return "", sent


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{API}/component_server"),
        ("POST", f"{API}/component_server/"),
        ("POST", f"{API}/run/predict"),
        ("POST", f"{API}/call/v2/segment"),
        ("GET", f"{API}/proxy=https://example.org/"),
        ("GET", f"{API}/file=https://example.org/"),
        ("GET", f"{API}/file=http:/example.org/"),
        ("GET", f"{API}/file/https://example.org/"),
        ("GET", f"{API}/deep_link"),
        ("GET", f"{API}/stream/a/b/c/playlist.m3u8"),
        ("POST", f"{API}/stream/a"),
        ("POST", f"{API}/vibe-edit"),
        ("GET", f"{API}/vibe-code"),
        ("GET", f"{API}/dev/reload"),
        ("GET", f"{API}/custom_component/a/client/b/c"),
        ("POST", f"{API}/process_recording"),
        ("GET", f"{API}/runs"),
        ("GET", f"{API}/run-history/records"),
        ("GET", f"{API}/profiling/traces"),
        ("GET", "monitoring"),
        ("GET", "monitoring/summary"),
        ("POST", "login"),
        ("GET", f"{API}/mcp/sse"),
        ("GET", f"{API}/heartbeat/{'a' * 65}"),
        ("DELETE", ""),
    ],
)
def test_only_the_page_s_own_addresses_are_there(url, method, path):
    answer = httpx.request(method, url + path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is nothing at this address."}


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("queue/join", REQUEST),
        ("cancel", 10_000),
        ("upload", FILE + 2**20),
        ("call/segment", REQUEST),
    ],
)
def test_a_request_that_says_it_is_too_large_is_refused_before_it_comes(url, path, most):
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as line:
        head = f"Host: localhost\r\nContent-Length: {most + 1}"
        line.sendall(f"POST /{API}/{path} HTTP/1.1\r\n{head}\r\n\r\n".encode())
        assert b" 413 " in line.recv(64)


def test_a_request_that_does_not_say_how_large_it_is_is_cut_off_at_the_limit(url):
    answer, sent = chunked(url, "queue/join", b" " * 65536, 4 * REQUEST)
    assert " 413 " in answer
    assert sent < 2 * REQUEST


@pytest.mark.parametrize("start", ["GET /?a=", "GET / HTTP/1.1\r\nA: ", "GET / HTTP/1.1\r\n"])
def test_headers_without_an_end_are_cut_off(url, start):
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as line:
        line.sendall(start.encode())
        more = b"a: b\r\n" * 1000 if start.endswith("\n") else b"a" * 6000

        def goes_on():
            for _ in range(3000):
                line.sendall(more)

        with pytest.raises(OSError, match=r"(reset|pipe)"):
            goes_on()


def test_a_picture_is_not_sent_in_a_thousand_parts(url):
    header = {"Range": "bytes=" + ",".join(["0-"] * 1000)}
    answer = httpx.get(f"{url}{API}/file={PICTURE}", headers=header)
    assert answer.content == PICTURE.read_bytes()


def test_what_reads_nothing_takes_no_body(url):
    assert httpx.request("GET", url, content=b"x").status_code == 413


@pytest.mark.parametrize(
    "file",
    [
        {"path": "https://example.org/a.png"},
        {"path": "/etc/passwd"},
        {"path": "data:image/png;base64,AAAA"},
        {"path": None, "url": "data:image/png;base64,AAAA"},
        {"url": "https://example.org/a.png"},
        {"path": str(PICTURE), "url": "https://example.org/a.png"},
        {"path": f"{PICTURE}/../../../../etc/passwd"},
        {"path": ["a"]},
        [[{"value": {"video": {"path": "/etc/passwd"}}}]],
    ],
)
def test_a_request_names_uploaded_files_alone(url, file):
    answer = join(
        url, [{"meta": {"_type": "gradio.FileData"}} | file if type(file) is dict else file]
    )
    assert answer.status_code == 400
    assert "uploaded here" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        json.dumps({"data": [], "fn_index": 0, "session_hash": "a" * 65}),
        json.dumps({"data": [], "fn_index": 0, "session_hash": 7}),
        json.dumps({"data": [], "fn_index": 99_999, "session_hash": "a"}),
        json.dumps({"data": [], "fn_index": [0], "session_hash": "a"}),
        '{"data": ' + "[" * 60 + "]" * 60 + "}",
        pytest.param(json.dumps({"data": [[]] * 60_000}), id="many"),
        "\xff",
        "7",
    ],
)
def test_a_made_up_request_gets_a_sentence(url, body):
    answer = httpx.post(f"{url}{API}/queue/join", content=body)
    assert answer.status_code == 400
    assert re.fullmatch(r"[A-Z][ \w]+[.:][ \w]*\.?", answer.json()["detail"])


def test_what_is_unpacked_or_read_for_a_visitor_is_in_nobody_s_reach(url):
    with TemporaryDirectory(prefix="tta-demo-") as folder:
        model = Path(folder, "model.onnx")
        model.write_bytes(b"x")
        assert httpx.get(f"{url}{API}/file={model}").status_code == 403
        assert join(url, [{"path": str(model)}]).status_code == 400


def test_an_upload_is_one_visitor_s_who_alone_knows_where_it_is(url, demo):
    one, other = (upload(url).json()[0] for _ in range(2))
    assert one != other  # the content does not tell where it is
    assert httpx.get(f"{url}{API}/file={one}").text == "abc"
    folder = Path(one).parents[2]
    for elsewhere in (folder, f"{folder}/", f"{one}/../../../../{Path(__file__).name}", "app.py"):
        assert httpx.get(f"{url}{API}/file={elsewhere}").status_code in (403, 404)


@pytest.mark.parametrize(
    "name", ["../../../x.png", "/etc/x.png", "a\0b.png", "." * 300, "ü" * 400]
)
def test_the_name_of_an_upload_leads_nowhere_else(url, demo, name):
    before = stored(demo)
    upload(url, name=name)
    new = stored(demo) - before
    assert all(path.is_relative_to(demo.app.uploaded_file_dir) for path in new)


def test_an_upload_of_nothing_leaves_no_folder(url, demo):
    before = {*Path(demo.app.uploaded_file_dir).iterdir()}
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = httpx.post(f"{url}{API}/upload", content=b"--x--\r\n", headers=kind)
    assert answer.status_code == 400
    assert {*Path(demo.app.uploaded_file_dir).iterdir()} == before


@pytest.mark.parametrize(("field", "name"), [("other", "a.txt"), ("files", None)])
def test_an_upload_under_another_name_leaves_nothing(url, demo, field, name):
    before = stored(demo)
    files = [("files", ("b.txt", b"abc")), (field, (name, b"abc"))]
    assert httpx.post(f"{url}{API}/upload", files=files).status_code == 400
    assert stored(demo) == before


def test_a_broken_off_upload_leaves_nothing(url, demo):
    before, place = stored(demo), urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as line:
        form = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        head = "Host: a\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 99999"
        line.sendall(
            f"POST /{API}/upload HTTP/1.1\r\n{head}\r\n\r\n".encode() + form + b"y" * 9999
        )
        until(lambda: stored(demo) != before)
    until(lambda: stored(demo) == before)


def test_every_answer_says_how_to_take_it_and_has_a_number(url):
    answers = [httpx.get(url), httpx.get(f"{url}nowhere"), join(url, [], session_hash=7)]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "x-frame-options" not in answer.headers
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_the_server_says_how_it_is(url):
    told = httpx.get(f"{url}healthz").json()
    assert told["status"] == "ok"
    assert set(told["models"].values()) == {"there"}
    assert told["queue"] == 0


def test_a_file_that_cannot_be_read_is_told_as_one_that_is_missing(tmp_path, monkeypatch, url):
    (tmp_path / "cut.safetensors").write_bytes(b"cut")
    for name in ("cut", "gone"):
        path = tmp_path / f"{name}.safetensors"
        broken = replace(MODELS["unet-weeds"], weights=lambda path=path: path)
        monkeypatch.setitem(MODELS, name, broken)
    told = httpx.get(f"{url}healthz").json()
    assert told["status"] == "degraded"
    assert told["models"]["cut"] == "cut.safetensors cannot be read"
    assert told["models"]["gone"] == "gone.safetensors is missing"
