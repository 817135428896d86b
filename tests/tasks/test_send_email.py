"""send_email against a real mail server on loopback."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.mail_host import CERTIFICATE, MailHost, accept_ann, read, server_context
from worker_service.jobs.errors import PermanentError
from worker_service.tasks import send_email as module
from worker_service.tasks.send_email import MailServer, RecipientDelayed, send_email

ANN, BOB, EVE = "ann@example.org", "bob@example.org", "eve@example.org"
ID = "01a204b7-ea8f-7739-bda3-9b78d4fa9982"


@pytest.fixture
def host() -> Iterator[MailHost]:
    """A server without encryption."""
    with MailHost() as running:
        yield running


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the certificate of the tests."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def server_of(host: MailHost, **more: Any) -> MailServer:
    settings = {"tls": "none", "sender": "Service <service@example.com>", **more}
    return MailServer(host=host.hostname, port=host.port, **settings)


def send(server: MailServer, to: Any = ANN, **more: Any) -> dict[str, Any]:
    return send_email(server, to, more.pop("subject", "Hi"), more.pop("text", "Hello"), job_id=ID, **more)


class TestMail:
    def test_mail_arrives_as_it_was_given(self, host: MailHost):
        result = send(server_of(host), subject="Grüße ☃", text="Schöne Grüße\n.\nzum Schluß")
        assert result == {"message_id": f"<{ID}@example.com>", "accepted": [ANN], "refused": {}}
        assert host.mail()["From"] == "Service <service@example.com>"
        assert (host.mail()["To"], host.mail()["Subject"]) == (ANN, "Grüße ☃")
        assert host.mail().get_content().splitlines() == ["Schöne Grüße", ".", "zum Schluß"]
        assert host.taken[0].mail_from == "service@example.com"

    def test_html_is_the_second_of_two_forms(self, host: MailHost):
        send(server_of(host), text="Hello", html="<p>Hellö")
        assert host.mail().get_content_type() == "multipart/alternative"
        forms = [(part.get_content_type(), part.get_content().strip()) for part in host.mail().iter_parts()]
        assert forms == [("text/plain", "Hello"), ("text/html", "<p>Hellö")]

    def test_several_recipients_get_one_mail_each_of_them_once(self, host: MailHost):
        result = send(server_of(host), [ANN, f"Bob B. <{BOB}>", ANN])
        assert result["accepted"] == [ANN, BOB]
        assert host.taken[0].rcpt_tos == [ANN, BOB]
        assert host.mail()["To"] == f'{ANN}, "Bob B." <{BOB}>, {ANN}'

    def test_repeat_is_recognised_by_its_message_id(self, host: MailHost):
        host.answers["DATA"] = "cut"  # taken, but the answer is lost
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(server_of(host))
        del host.answers["DATA"]
        send(server_of(host))
        assert [read(each)["Message-ID"] for each in host.taken] == [f"<{ID}@example.com>"] * 2

    def test_trouble_after_the_server_took_the_mail_does_not_send_it_again(self, host: MailHost):
        host.answers["QUIT"] = "cut"
        assert send(server_of(host))["accepted"] == [ANN]

    def test_letters_beyond_ascii_in_an_address_need_a_server_that_takes_them(self, host: MailHost):
        send(server_of(host), "grüße@bücher.example")
        assert host.taken[0].rcpt_tos == ["grüße@bücher.example"]
        assert host.mail()["To"] == "grüße@bücher.example"
        with MailHost(enable_SMTPUTF8=False) as old, pytest.raises(PermanentError, match="SMTPUTF8"):
            send(server_of(old), "grüße@bücher.example")


class TestRefusals:
    def test_recipient_refused_for_good_keeps_nobody_from_the_mail(self, host: MailHost):
        host.refusals[EVE] = "550 no such user"
        result = send(server_of(host), [ANN, EVE, BOB])
        assert (result["accepted"], result["refused"]) == ([ANN, BOB], {EVE: "550 no such user"})
        assert host.taken[0].rcpt_tos == [ANN, BOB]

    def test_recipient_refused_for_now_means_that_nobody_gets_it_yet(self, host: MailHost):
        host.refusals = {BOB: "451 greylisted", EVE: "550 no such user"}
        with pytest.raises(RecipientDelayed, match="451 greylisted"):
            send(server_of(host), [ANN, BOB, EVE])
        assert host.taken == []
        del host.refusals[BOB]
        assert send(server_of(host), [ANN, BOB, EVE])["accepted"] == [ANN, BOB]
        assert len(host.taken) == 1

    def test_mail_that_all_recipients_are_refused_is_given_up(self, host: MailHost):
        host.refusals = {ANN: "550 no such user", BOB: "553 nor this one"}
        with pytest.raises(PermanentError, match=r"550 no such user.*553 nor this one"):
            send(server_of(host), [ANN, BOB])

    @pytest.mark.parametrize("verb", ["MAIL", "DATA"])
    def test_what_the_server_refuses_for_good_is_given_up(self, host: MailHost, verb: str):
        host.answers[verb] = "554 spam"
        with pytest.raises(PermanentError, match=r"127\.0\.0\.1 answered 554 spam"):
            send(server_of(host))

    @pytest.mark.parametrize("verb", ["MAIL", "DATA"])
    def test_what_the_server_refuses_for_now_may_be_tried_again(self, host: MailHost, verb: str):
        host.answers[verb] = "451 try later"
        with pytest.raises(smtplib.SMTPResponseException, match="451"):
            send(server_of(host))

    def test_mail_larger_than_the_server_takes_is_given_up(self):
        with MailHost(data_size_limit=2000) as host, pytest.raises(PermanentError, match="552"):
            send(server_of(host), text="x" * 3000)


class TestConnecting:
    def test_without_a_server_the_error_says_what_to_set(self):
        nowhere = MailServer(host=None, port=25, tls="none", sender=ANN)
        with pytest.raises(PermanentError, match=r"JOBS_SMTP_HOST.*worker-service up"):
            send(nowhere)

    def test_refused_connection_may_be_tried_again(self):
        with pytest.raises(ConnectionRefusedError):
            send(MailServer(host="127.0.0.1", port=1, tls="none", sender=ANN))

    def test_silent_server_may_be_tried_again(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OSError, match="timed out"):
            send(MailServer(host="127.0.0.1", port=silent.getsockname()[1], tls="none", sender=ANN))

    @pytest.mark.usefixtures("trusted")
    def test_starttls_and_login(self):
        with MailHost(
            tls_context=server_context(), require_starttls=True, auth_required=True, authenticator=accept_ann
        ) as host:
            server = server_of(host, tls="starttls", username="ann", password="secret")
            assert send(server)["accepted"] == [ANN]
            with pytest.raises(PermanentError, match="535"):
                send(replace(server, password="wrong"))
            with pytest.raises(PermanentError, match="ASCII"):
                send(replace(server, password="gehëim"))
            with pytest.raises(PermanentError, match="530"):
                send(replace(server, username=None))
            assert len(host.taken) == 1

    @pytest.mark.usefixtures("trusted")
    def test_tls_from_the_first_byte(self):
        with MailHost(tls=True) as host:
            assert send(server_of(host, tls="tls"))["accepted"] == [ANN]

    @pytest.mark.parametrize("tls", ["starttls", "tls"])
    def test_certificate_that_nobody_vouches_for_is_refused(self, tls: str):
        own = {"tls": True} if tls == "tls" else {"tls_context": server_context()}
        with MailHost(**own) as host:
            with pytest.raises(ssl.SSLCertVerificationError):
                send(server_of(host, tls=tls))
            assert host.taken == []

    def test_server_without_starttls_gets_no_mail_when_it_was_asked_for(self, host: MailHost):
        with pytest.raises(PermanentError, match="STARTTLS"):
            send(server_of(host, tls="starttls"))
        assert host.taken == []

    def test_server_without_login_gets_no_password(self, host: MailHost):
        with pytest.raises(PermanentError, match="AUTH"):
            send(server_of(host, username="ann", password="secret"))

    def test_password_does_not_show(self):
        assert "secret" not in repr(MailServer("h", 25, "none", ANN, username="ann", password="secret"))
