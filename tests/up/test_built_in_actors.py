"""The built-in actors through the whole service: from a request to a mail, and to a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.mail_host import MailHost
from tests.up.service import RunningService

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes through /proc"),
    pytest.mark.xdist_group("one service with a mail server"),
]


@pytest.fixture(scope="module")
def host() -> Iterator[MailHost]:
    """A mail server."""
    with MailHost() as running:
        yield running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, host: MailHost) -> Iterator[RunningService]:
    """A service that hands its mails to that server."""
    running = RunningService(
        tmp_path_factory.mktemp("up"),
        JOBS_SMTP_HOST=host.hostname,
        JOBS_SMTP_PORT=str(host.port),
        JOBS_SMTP_TLS="none",
        JOBS_SMTP_FROM="service@example.com",
    )
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


def test_posted_mail_arrives(service: RunningService, host: MailHost):
    path = service.submit(
        "send_email", to=["ann@example.org"], subject="Grüße", text="Hello", html="<p>Hello"
    )
    job = service.wait_for_state(path, "succeeded")
    assert job["result"]["accepted"] == ["ann@example.org"]
    assert host.mail()["Message-ID"] == job["result"]["message_id"] == f"<{job['id']}@example.com>"
    assert host.mail()["Subject"] == "Grüße"


def test_mail_to_nobody_is_dead_at_once_and_says_why(service: RunningService):
    job = service.wait_for_state(service.submit("send_email", to="ann", subject="Hi", text="Hello"), "dead")
    assert (job["reason"], job["error"]["message"][:18]) == ("permanent_error", "not a mail address")


def test_posted_photo_becomes_a_small_file(service: RunningService):
    files = service.folder / "data" / "files"
    files.mkdir()
    Image.effect_noise((1200, 800), 50).save(files / "photo.jpg")
    path = service.submit("resize_image", source="photo.jpg", width=300, height=300)
    result = service.wait_for_state(path, "succeeded")["result"]
    with Image.open(files / result["path"]) as image:
        assert (image.size, image.format) == ((300, 200), "JPEG")
