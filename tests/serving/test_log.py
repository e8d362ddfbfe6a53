import json
import logging

import httpx
import pytest

from tta_demo.serving.log import Lines
from tta_demo.ui.kit.failing import LOG, failing


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


def test_pages_are_in_the_log_and_their_pictures_are_not(url, lines):
    httpx.get(url)
    httpx.get(f"{url}theme.css")
    assert [line["route"] for line in lines()] == ["page"]


def test_an_unforeseen_request_gets_a_sentence_and_its_number(url, lines):
    answer = httpx.post(f"{url}gradio_api/call/segment", json={"data": 7})
    assert answer.status_code in (422, 500)


def raised(error):
    with pytest.raises(Exception) as told, failing("open_picture"):  # noqa: PT011
        raise error
    return told.value
