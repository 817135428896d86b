"""What every answer tells browsers."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.keys import ADMIN_KEY, bearer
from tests.http.test_scopes import asked
from worker_service.api.headers import ALWAYS, DATA_POLICY, OF_DATA, OF_PAGES


def test_every_route_says_it_whatever_the_answer(app: Flask, client: FlaskClient):
    pages = set()
    for method, path, _ in asked(app):
        for headers in ({}, bearer(ADMIN_KEY), {"Host": "evil.example"}):
            answer = client.open(path, method=method, headers=headers, buffered=False)
            answer.close()
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["Referrer-Policy"]
            assert answer.headers["Cache-Control"]
            assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
            if answer.mimetype == "text/html":
                pages.add(path)
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "/" in pages


@pytest.mark.parametrize("path", ["/v1/actors", "/v1/jobs", "/nope", "/metrics", "/livez"])
def test_data_are_kept_by_nobody_and_run_nothing(client: FlaskClient, path: str):
    headers = client.get(path).headers
    assert {name: headers[name] for name in OF_DATA} == OF_DATA
    assert headers["Content-Security-Policy"] == DATA_POLICY
    assert headers["Cache-Control"] == "no-store"


def test_pages_send_their_origin_with_forms(client: FlaskClient):
    headers = client.get("/").headers
    assert {name: headers[name] for name in OF_PAGES} == OF_PAGES
    assert headers["Referrer-Policy"] == "same-origin"  # no-referrer would make it "null"


def test_style_may_be_kept_and_asked_for_again(client: FlaskClient):
    with client.get("/static/css/tokens.css") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["ETag"]
