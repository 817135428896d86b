"""Mails made by templates, as a real mail server gets them."""

from pathlib import Path
from typing import Any

import pytest

from tests.mail_host import MailHost
from worker_service.jobs.errors import PermanentError
from worker_service.tasks.mail_template import Words, written
from worker_service.tasks.send_email import MailServer, send_email

TEXT = """{% set subject = "Welcome, " ~ name %}
Hello {{ name }},
{% for item in items %}
- {{ item.title }}
{% endfor %}
"""
HTML = """{% extends "frame.html" %}{% block body %}<p>Hello {{ name }}</p>{% endblock %}"""
VALUES = {"name": "<Ann & Bob>", "items": [{"title": "Tea"}, {"title": "Milk"}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory of templates."""
    (tmp_path / "shop").mkdir()
    for name, content in {
        "welcome.txt": TEXT,
        "welcome.html": HTML,
        "frame.html": "<body>{% block body %}{% endblock %}</body>",
        "shop/plain.txt": "Only {{ what }}",
        "wrong.txt": "{% if %}",
        "divides.txt": "{{ 1 / number }}",
        "bytes.txt": "",
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    return tmp_path


def make(folder: Path | None, template: str | None = None, **more: Any) -> Words:
    given = {"subject": None, "text": None, "html": None, "values": None, **more}
    return written(folder, template=template, **given)


def test_mail_of_a_template_arrives_with_its_values_escaped_in_html_only(folder: Path):
    words = make(folder, "welcome", values=VALUES)
    with MailHost() as host:
        server = MailServer(host=host.hostname, port=host.port, tls="none", sender="shop@example.com")
        send_email(server, "ann@example.org", *words, job_id="1")
        mail = host.mail()
    assert mail["Subject"] == "Welcome, <Ann & Bob>"
    text, html = (part.get_content().strip() for part in mail.iter_parts())
    assert text.splitlines() == ["Hello <Ann & Bob>,", "- Tea", "- Milk"]
    assert html == "<body><p>Hello &lt;Ann &amp; Bob&gt;</p></body>"


def test_template_in_a_folder_without_html_needs_a_subject_that_is_given(folder: Path):
    assert make(folder, "shop/plain", subject="Hi", values={"what": "text"}) == ("Hi", "Only text", None)
    with pytest.raises(PermanentError, match=r"a subject is missing.*shop/plain\.txt"):
        make(folder, "shop/plain", values={"what": "text"})


def test_subject_that_is_given_goes_before_that_of_the_template(folder: Path):
    assert make(folder, "welcome", subject="Mine", values=VALUES).subject == "Mine"


def test_template_that_has_changed_is_read_anew(folder: Path):
    assert make(folder, "shop/plain", subject="Hi", values={"what": "this"}).text == "Only this"
    (folder / "shop" / "plain.txt").write_text("Now {{ what }} and more")
    assert make(folder, "shop/plain", subject="Hi", values={"what": "that"}).text == "Now that and more"


@pytest.mark.parametrize(
    ("template", "values", "words"),
    [
        ("nothing", {}, r"no template 'nothing\.txt' in /"),
        ("welcome.txt", VALUES, r"no template 'welcome\.txt\.txt' in .* \(leave out the ending\)"),
        ("../welcome", VALUES, "no template"),
        ("/etc/passwd", {}, "no template"),
        ("wel\0come", {}, "cannot be used|no template"),
        ("welcome", {"items": []}, "'welcome' cannot be used: 'name' is undefined"),
        ("welcome", {"name": "Ann", "items": [{}]}, "has no attribute 'title'"),
        ("wrong", {}, "'wrong' cannot be used: Expected an expression"),
        ("divides", {"number": 0}, "'divides' cannot be used: division by zero"),
        ("bytes", {}, "'bytes' cannot be used: 'utf-8' codec"),
    ],
)
def test_template_or_value_that_is_missing_or_wrong_is_given_up(
    folder: Path, template: str, values: dict[str, Any], words: str
):
    with pytest.raises(PermanentError, match=words):
        make(folder, template, subject="Hi", values=values)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"subject": "Hi"},
        {"text": "Hello"},
        {"subject": "Hi", "text": "Hello", "values": {}},
        {"template": "welcome", "text": "Hello"},
        {"template": "welcome", "html": "<p>"},
    ],
)
def test_words_that_are_missing_or_given_twice_are_given_up(folder: Path, given: dict[str, Any]):
    with pytest.raises(PermanentError, match=r"give the template|needs a subject"):
        make(folder, **given)


def test_without_a_directory_the_error_says_what_to_set():
    with pytest.raises(PermanentError, match="JOBS_MAIL_TEMPLATES"):
        make(None, "welcome")
