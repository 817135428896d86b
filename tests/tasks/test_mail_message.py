"""What a mail is made of: nothing but what was given, whatever that is."""

import email
import email.policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker_service.jobs.errors import PermanentError
from worker_service.tasks.mail_message import Mail, compose

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=300)
NAMES = st.sampled_from(["", "Ann", '"Doe, Joe"', "Ünal Größe", '"Dö, Jöe"'])
PLAIN = st.from_regex(r"[a-z]{1,50}@[a-z]{1,40}\.org", fullmatch=True)


def a_mail(to: str | list[str] = "ann@example.org", subject: str = "Hi", text: str = "Hello") -> Mail:
    return compose("me@example.com", [to] if isinstance(to, str) else to, subject, text, None, "id")


def read(mail: Mail) -> email.message.EmailMessage:
    return email.message_from_bytes(mail.content, policy=email.policy.default)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(NAMES, PLAIN), min_size=1, max_size=30))
def test_every_address_is_read_back_as_it_was_given(recipients: list[tuple[str, str]]):
    to = [f"{name} <{plain}>" if name else plain for name, plain in recipients]
    mail = a_mail(to)
    found = read(mail)["To"].addresses
    assert [(each.display_name, each.addr_spec) for each in found] == [
        (name.strip('"'), plain) for name, plain in recipients
    ]
    assert mail.content.isascii()
    assert all(len(line) <= 998 for line in mail.content.split(b"\r\n"))


@settings(deadline=None)
@given(TEXT)
def test_every_subject_is_one_header_of_seven_bits(subject: str):
    mail = a_mail(subject=subject)
    assert set(read(mail)) == {
        "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"
    }  # fmt: skip
    assert read(mail)["Subject"] == subject
    assert mail.content.isascii()


@pytest.mark.parametrize(
    "subject",
    [
        "Hi\nBcc: eve@example.org",
        "Hi\r\n\r\nother text",
        "Hi\n",
        "Hi\rBcc: x",
        "Hi\u2028x",
        "Hi\x0bx",
        "\x00",
        "\ud800",
    ],
)
def test_subject_of_more_than_a_line_is_refused(subject: str):
    with pytest.raises(PermanentError, match="subject"):
        a_mail(subject=subject)


def test_subject_that_looks_encoded_stays_what_it_looks_like():
    hidden = "=?utf-8?q?Hi=0D=0ABcc:_eve=40example.org?="
    assert read(a_mail(subject=hidden))["Subject"] == hidden


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@example.org, eve@example.org",
        "ann@example.org eve@example.org",
        "ann@example.org;",
        "friends: ann@example.org, eve@example.org;",
        "ann@example.org\nBcc: eve@example.org",
        "ann@example.org\r\n",
        "ann@example.org>\r\nRCPT TO:<eve@example.org",
        "Ann\n <ann@example.org>",
        "=?utf-8?q?Ann=0ABcc:_eve=40example.org?= <ann@example.org>",
        "=?utf-8?q?Ann=00?= <ann@example.org>",
        "ann@example.org\x00",
        "\ud800@example.org",
        "ann..b@example.org",
        "ann@ example.org",
        "a" * 600 + "@example.org",
    ],
)
def test_what_is_not_one_address_is_refused(to: str):
    with pytest.raises(PermanentError, match="not a mail address"):
        a_mail(to)


def test_sender_is_read_as_strictly():
    with pytest.raises(PermanentError, match="not a mail address"):
        compose("me", ["ann@example.org"], "Hi", "Hello", None, "id")


def test_nobody_is_no_recipient():
    with pytest.raises(PermanentError, match="at least one"):
        a_mail([])


def test_half_a_character_in_the_text_is_refused():
    with pytest.raises(PermanentError, match="surrogate"):
        a_mail(text="\ud800")
