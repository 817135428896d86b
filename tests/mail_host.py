"""A real mail server on loopback that keeps what it gets and refuses what a test tells it to refuse."""

import asyncio
import email
import email.policy
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

CERTIFICATE = Path(__file__).with_name("mail_host.pem")


class MailHost(Controller):
    """The server; use it in a ``with``.

    Args:
        tls: whether to encrypt from the first byte.
        options: those of aiosmtpd's ``SMTP``.

    Attributes:
        taken: the envelopes of all mails it took.
        refusals: address -> what to answer in place of OK.
        answers: verb (MAIL, DATA, QUIT) -> what to answer in place of OK; ``cut`` cuts the connection.
        when_taken: called once, when it has taken a mail and not said so yet.
    """

    def __init__(self, *, tls: bool = False, **options: Any) -> None:
        self.taken: list[Envelope] = []
        self.refusals: dict[str, str] = {}
        self.answers: dict[str, str] = {}
        self.when_taken: Callable[[], None] | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(
            self,
            hostname="127.0.0.1",
            port=self._socket.getsockname()[1],
            ssl_context=server_context() if tls else None,
            **options,
        )

    def _create_server(self) -> Any:
        """On a port that nobody can take in between."""
        return self.loop.create_server(self._factory_invoker, sock=self._socket, ssl=self.ssl_context)

    def __enter__(self) -> "MailHost":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def mail(self) -> EmailMessage:
        """The only mail it took, read."""
        [envelope] = self.taken
        return read(envelope)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._answer(server, "MAIL")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self._answer(server, "DATA")
        if answer.startswith(("2", "cut")):
            self.taken.append(envelope)
            call, self.when_taken = self.when_taken, None
            if call is not None:
                call()
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self._answer(server, "QUIT")

    def _answer(self, server: SMTP, verb: str) -> str:
        answer = self.answers.get(verb, "250 OK")
        if answer == "cut":
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return answer


def read(envelope: Envelope) -> EmailMessage:
    """The mail in an envelope."""
    assert isinstance(envelope.content, bytes)
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


def server_context() -> ssl.SSLContext:
    """With the certificate of these tests."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def accept_ann(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    """An authenticator that knows one user."""
    return AuthResult(success=(given.login, given.password) == (b"ann", b"secret"), handled=False)
