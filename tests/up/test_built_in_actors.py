"""The built-in actors through the whole service: from a request to a mail, and to a file."""

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from tests.mail_host import MailHost, read
from tests.up.service import RunningService

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes through /proc"),
    pytest.mark.xdist_group("one service with a mail server"),
]


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailHost]:
    """A mail server."""
    with MailHost() as running:
        yield running


@pytest.fixture
def host(mail_server: MailHost) -> MailHost:
    """It, with no mail yet."""
    mail_server.taken.clear()
    return mail_server


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, mail_server: MailHost) -> Iterator[RunningService]:
    """A service that hands its mails to that server."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "order.txt").write_text("{% set subject = 'Order ' ~ number %}Thank you.")
    (folder / "order.html").write_text("<p>{{ thanks }}</p>")
    running = RunningService(
        folder,
        JOBS_MAIL_TEMPLATES=str(folder),
        JOBS_SMTP_HOST=mail_server.hostname,
        JOBS_SMTP_PORT=str(mail_server.port),
        JOBS_SMTP_TLS="none",
        JOBS_SMTP_FROM="service@example.com",
        JOBS_REPORT_TO="ann@example.org, bob@example.org",
        JOBS_OUTBOUND_ALLOW="127.0.0.1",
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


def test_mail_of_a_template_is_sent_once_more_when_its_worker_is_killed_and_is_the_same_mail(
    service: RunningService, host: MailHost
):
    def kill_the_worker() -> None:
        for worker in service.http.get("/v1/workers").json()["items"]:
            os.kill(worker["pid"], signal.SIGKILL)

    host.when_taken = kill_the_worker
    path = service.submit(
        "send_email", to="ann@example.org", template="order", values={"number": 17, "thanks": "Thanks & bye"}
    )
    job = service.wait_for_state(path, "succeeded")
    mails = [read(each) for each in host.taken]
    assert job["crashes"] == 1
    assert [mail["Message-ID"] for mail in mails] == [job["result"]["message_id"]] * 2
    assert [mail["Subject"] for mail in mails] == ["Order 17"] * 2
    html = mails[1].get_body(("html",))
    assert html
    assert html.get_content().strip() == "<p>Thanks &amp; bye</p>"


class BusyPage(BaseHTTPRequestHandler):
    """A page whose server wants to be left alone at first, and which never changes."""

    was_busy = False

    def do_GET(self) -> None:
        if not BusyPage.was_busy:
            BusyPage.was_busy = True
            self.send_response(503)
            self.send_header("Retry-After", "0")
        elif self.headers["If-None-Match"] == '"1"':
            self.send_response(304)
        else:
            self.send_response(200)
            self.send_header("ETag", '"1"')
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing."""


def test_page_is_fetched_when_its_server_wants_to_and_once(service: RunningService):
    with ThreadingHTTPServer(("127.0.0.1", 0), BusyPage) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{site.server_port}/"
        first, again = (
            service.wait_for_state(service.submit("fetch_remote", url=url), "succeeded") for _ in range(2)
        )
        site.shutdown()
    assert [attempt["charged"] for attempt in first["attempts"]] == [False, True]
    assert (first["result"]["unchanged"], again["result"]["unchanged"]) == (False, True)


def test_mail_to_nobody_is_dead_at_once_and_says_why(service: RunningService):
    job = service.wait_for_state(service.submit("send_email", to="ann", subject="Hi", text="Hello"), "dead")
    assert (job["reason"], job["error"]["message"][:18]) == ("permanent_error", "not a mail address")


def test_posted_photo_becomes_a_small_file(service: RunningService):
    files = service.folder / "data" / "files"
    files.mkdir(exist_ok=True)
    Image.effect_noise((1200, 800), 50).save(files / "photo.jpg")
    path = service.submit("resize_image", source="photo.jpg", width=300, height=300)
    result = service.wait_for_state(path, "succeeded")["result"]
    with Image.open(files / result["path"]) as image:
        assert (image.size, image.format) == ((300, 200), "JPEG")
    path = service.submit("resize_image", source="photo.jpg", sizes=[[300, 300], [60, 60]])
    images = service.wait_for_state(path, "succeeded")["result"]["images"]
    assert (images[0], images[1]["width"]) == (result, 60)


def test_report_of_today_tells_what_failed_and_is_mailed(service: RunningService, host: MailHost):
    service.wait_for_state(service.submit("send_email", to="ann", subject="Hi", text="Hello"), "dead")
    today = datetime.now(UTC).date()
    path = service.submit("generate_report")
    assert (
        service.wait_for_state(path, "succeeded")["result"]["csv"]
        == f"reports/{today - timedelta(days=1)}.csv"
    )
    host.taken.clear()
    day = today.isoformat()
    path = service.submit("generate_report", day=day)
    result = service.wait_for_state(path, "succeeded")["result"]
    files = service.folder / "data" / "files"
    assert result["mailed"] == host.taken[0].rcpt_tos == ["ann@example.org", "bob@example.org"]
    assert {f"jobs-{day}.html", f"jobs-{day}.csv"} == {
        each.get_filename() for each in host.mail().iter_attachments()
    }
    assert "PermanentError: not a mail address" in (files / result["html"]).read_text()
    assert (files / result["csv"]).read_text().startswith("actor,enqueued,")  # counts are a minute behind
