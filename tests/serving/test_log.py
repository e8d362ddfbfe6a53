import errno
import json
import logging

import gradio as gr
import httpx
import pytest
from waiting import until

from tta_demo.serving import health
from tta_demo.serving.log import Lines
from tta_demo.ui.kit.failing import FULL, LOG, MEMORY, failing


@pytest.fixture
def lines(caplog):
    """Returns the log so far, as it would be written."""
    caplog.set_level(logging.INFO, LOG.name)
    return lambda: [json.loads(Lines().format(record)) for record in caplog.records]


def test_a_request_is_one_line_without_what_the_visitor_brought(url, lines):
    answer = httpx.get(f"{url}gradio_api/file=/secret-name.png?secret=1", headers={"a": "secret"})
    (line,) = lines()
    assert line["id"] == answer.headers["x-request-id"]
    assert (line["route"], line["method"], line["status"]) == ("file", "GET", 403)
    assert line["ms"] >= 0
    assert "secret" not in json.dumps(line)
    assert "127.0.0.1" not in json.dumps(line)


def test_requests_for_pages_are_in_the_log_and_those_for_styles_are_not(url, lines):
    httpx.get(url)
    httpx.get(f"{url}theme.css")
    assert [line["route"] for line in lines()] == ["page"]


def test_an_unforeseen_error_of_the_server_gets_a_sentence_and_a_number(
    url, demo, lines, monkeypatch
):
    monkeypatch.setattr(health, "MODELS", None)
    answer = httpx.get(f"{url}healthz")
    number = answer.headers["x-request-id"]
    assert answer.status_code == 500
    assert number in answer.json()["detail"]
    (failure,) = (line for line in lines() if line["what"] == "failure")
    assert (failure["id"], failure["error"]) == (number, "AttributeError")
    assert "health.py" in failure["trace"][-1]


def test_an_answer_that_breaks_off_leaves_no_text_of_many_lines_in_the_log(url, lines, caplog):
    server = logging.getLogger("uvicorn.error")
    server.addHandler(caplog.handler)
    try:
        with httpx.stream("GET", f"{url}gradio_api/queue/data?session_hash=nobody") as answer:
            next(answer.iter_lines())
        until(lambda: "request" in {line["what"] for line in lines()})
        assert not any(record.exc_info for record in caplog.records)
    finally:
        server.removeHandler(caplog.handler)


def told(error):
    """Returns what a visitor is told of an error."""
    with pytest.raises(gr.Error) as raised, failing("open_picture"):
        raise error
    return str(raised.value)


def test_a_visitor_is_told_what_to_do_and_the_log_where_it_was(lines):
    said = told(KeyError("/tmp/a visitor's file.png"))
    (line,) = lines()
    assert "reload the page" in said
    assert line["id"] in said
    assert line["action"] == "open_picture"
    for text in (said, json.dumps(line)):
        assert "visitor's file" not in text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left", "/tmp/x"), FULL),
        (MemoryError(), MEMORY),
        (RuntimeError("CUDA out of memory"), "try again"),
    ],
)
def test_what_ran_out_is_named(error, words):
    assert words in told(error)


def test_what_a_reader_says_of_a_file_is_no_markup(lines):
    said = ValueError("<img src=x> is no picture: 'a' & 'b'")
    assert told(said) == repr("&lt;img src=x&gt; is no picture: 'a' &amp; 'b'")
    assert lines() == []
