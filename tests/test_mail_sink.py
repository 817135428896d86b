"""The mail sink: each mail becomes one file."""

import email
import smtplib
import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.waiting import wait_until
from worker_service.mail_sink import LARGEST_MAIL_BYTES, MailSink


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def sink(tmp_path: Path, said: list[str]) -> Iterator[MailSink]:
    with MailSink(tmp_path / "mail", said.append) as running:
        yield running


@pytest.fixture
def client(sink: MailSink) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as connected:
        yield connected


def mails(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "mail").iterdir())


def test_mail_becomes_a_file_with_its_envelope_and_a_line(
    client: smtplib.SMTP, tmp_path: Path, said: list[str]
):
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Grüße", "a@example.org", "b@example.org"
    mail.set_content("Hallo Jörg\n")
    client.send_message(mail, to_addrs=["b@example.org", "blind@example.org"])
    (path,) = mails(tmp_path)
    kept = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert kept["X-Envelope-From"] == "a@example.org"
    assert kept["X-Envelope-To"] == "b@example.org, blind@example.org"
    assert (kept["Subject"], kept.get_content().strip()) == ("Grüße", "Hallo Jörg")
    assert said == [f"to b@example.org, blind@example.org: Grüße -> {path}"]


def test_addresses_in_utf8_are_kept(client: smtplib.SMTP, tmp_path: Path):
    client.ehlo()
    client.sendmail("jörg@exämple.org", ["zoë@example.org"], b"Subject: x\r\n\r\nx", ["SMTPUTF8"])
    content = mails(tmp_path)[0].read_bytes()
    assert content.startswith(
        "X-Envelope-From: jörg@exämple.org\r\nX-Envelope-To: zoë@example.org\r\n".encode()
    )


def test_names_sort_by_time(client: smtplib.SMTP, tmp_path: Path):
    for number in range(20):
        client.sendmail("a@x", ["b@x"], f"Subject: {number}\r\n\r\n".encode())
    subjects = [email.message_from_bytes(path.read_bytes())["Subject"] for path in mails(tmp_path)]
    assert subjects == [str(number) for number in range(20)]


def test_attachments_of_forty_megabytes_are_taken(client: smtplib.SMTP, tmp_path: Path):
    content = b"Subject: large\r\n\r\n" + (b"x" * 998 + b"\r\n") * 40_000
    client.sendmail("a@x", ["b@x"], content)
    assert mails(tmp_path)[0].stat().st_size > 40_000_000


def test_mail_over_the_limit_is_refused(client: smtplib.SMTP, tmp_path: Path):
    client.ehlo()
    assert client.esmtp_features["size"] == str(LARGEST_MAIL_BYTES)
    with pytest.raises(smtplib.SMTPSenderRefused):
        client.sendmail("a@x", ["b@x"], b"x", [f"SIZE={LARGEST_MAIL_BYTES + 1}"])


@pytest.mark.parametrize(
    "header",
    [b"", b"Subject:", b"Subject: \x1b[2J", b"Subject: =?nonsense?q?=FF?=", b"Subject: \xff\xfe", b":\0"],
)
def test_strange_headers_are_kept_and_shown_harmlessly(
    client: smtplib.SMTP, tmp_path: Path, said: list[str], header: bytes
):
    client.sendmail("a@x", ["b@x"], header + b"\r\n\r\nbody")
    assert mails(tmp_path)[0].read_bytes().endswith(header + b"\r\n\r\nbody\r\n")
    assert len(said) == 1
    assert said[0].isprintable()


def test_mail_that_cannot_be_written_is_refused_for_now(
    client: smtplib.SMTP, tmp_path: Path, said: list[str]
):
    (tmp_path / "mail").touch()
    with pytest.raises(smtplib.SMTPDataError) as caught:
        client.sendmail("a@x", ["b@x"], b"Subject: x\r\n\r\nx")
    assert caught.value.smtp_code == 451
    assert said[0].startswith("a mail was refused")


def test_sink_ends_while_a_client_is_connected(tmp_path: Path):
    with MailSink(tmp_path, print) as sink:
        silent = socket.create_connection(("127.0.0.1", sink.port))
        assert silent.recv(3) == b"220"
    assert "mail-sink" not in {thread.name for thread in threading.enumerate()}
    with silent:
        wait_until(lambda: not silent.recv(100))
