"""A mail server for development: every mail becomes a file, and none leaves this machine."""

import asyncio
import email
import email.policy
import os
import secrets
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_MAIL_BYTES = 64 * 1024 * 1024
STOP_SECONDS = 2.0


class MailSink:
    """Listens on a free loopback port while it is entered, in a thread of its own.

    Args:
        folder: of the mails, made with the first one: ``<UTC instant>-<random>.eml``.
        say: called with a line for each mail, from that thread.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._loop = asyncio.new_event_loop()
        self._enough = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="mail-sink", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._enough.set)
        self._thread.join(STOP_SECONDS)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Write a mail down, and say how that went in SMTP's words."""
        content = envelope.original_content or b""
        try:
            path = self._write(_with_envelope(envelope, content))
        except OSError as error:
            self._say(f"a mail was refused: {error}")
            return "451 The mail cannot be written"
        recipients = _printable(", ".join(envelope.rcpt_tos))
        self._say(f"to {recipients}: {_subject(content)} -> {path}")
        return "250 OK"

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await self._loop.create_server(self._protocol, sock=self._listener)
        await self._enough.wait()
        server.close()

    def _protocol(self) -> SMTP:
        # With a name: it would ask the DNS for this machine's, which may take seconds.
        return SMTP(
            self,
            hostname="localhost",
            data_size_limit=LARGEST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            loop=self._loop,
        )

    def _write(self, content: bytes) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(3)}.eml"
        unfinished = self._folder / f".{name}"  # a reader sees whole mails only
        try:
            unfinished.write_bytes(content)
            unfinished.rename(self._folder / name)
        finally:
            unfinished.unlink(missing_ok=True)
        return self._folder / name


def _with_envelope(envelope: Envelope, content: bytes) -> bytes:
    """The mail with what only the envelope says: who gets a blind copy stands nowhere else."""
    sender = f"X-Envelope-From: {envelope.mail_from}\r\n"
    recipients = "X-Envelope-To: " + ",\r\n ".join(envelope.rcpt_tos) + "\r\n"
    return os.fsencode(sender + recipients) + content


def _subject(content: bytes) -> str:
    subject = email.message_from_bytes(content, policy=email.policy.default)["Subject"]
    return _printable(str(subject)) if subject else "(no subject)"


def _printable(text: str) -> str:
    """Without what could move the cursor of a terminal, or look like another line."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:200]
