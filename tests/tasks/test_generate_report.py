"""The report of a day: a page that needs nothing else, a table, and a mail with both."""

import csv
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.mail_host import MailHost
from tests.tasks.days import MIDNIGHT, a_day, counted
from worker_service.jobs.errors import PermanentError
from worker_service.tasks.generate_report import Mailing, generate_report
from worker_service.tasks.report.charts import OverTime, Series
from worker_service.tasks.report.day import Day, Failed, Punctuality, Spread
from worker_service.tasks.report.page import number
from worker_service.tasks.send_email import MailServer

NOBODY = Mailing(MailServer(host=None, port=25, tls="none", sender="jobs@example.com"), (), "1")
HOSTILE = "</table><script>alert(1)</script>"


class Page(HTMLParser):
    """What a page consists of.

    Attributes:
        tags: all that were opened.
        attributes: all that these had.
        figures: of each figure the numbers of drawings and tables in it.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.figures: list[list[str]] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "figure":
            self.figures.append([])
        if tag in ("svg", "table") and "figure" in self._open:
            self.figures[-1].append(tag)
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass


def page_of(tmp_path: Path, day: Day) -> str:
    result = generate_report(tmp_path, day, NOBODY)
    return Path(tmp_path, result["html"]).read_text()


def test_page_needs_no_script_and_no_other_file(tmp_path: Path):
    text = page_of(tmp_path, a_day())
    page = Page(text)
    names = {name for name, _ in page.attributes}
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {name for name in names if name in ("src", "href", "style") or name.startswith("on")}
    assert "default-src 'none'; style-src 'unsafe-inline'" in [value for _, value in page.attributes]
    assert "http" not in text.replace("http-equiv", "")
    assert "prefers-color-scheme: dark" in text


def test_each_chart_has_a_table_of_its_numbers(tmp_path: Path):
    text = page_of(tmp_path, a_day())
    assert Page(text).figures == [["svg", "table"]] * 7
    assert "<title>09:00 dead: 3</title>" in text
    assert re.search(r'09:00</th><td class="n">120</td><td class="n">3</td>', text)
    assert "send_email: 1 min 1 s</title>" in text
    assert "send_email: 3.6 % of 83</title>" in text
    assert "nightly: 2.0 s</title>" in text
    assert "PermanentError: no such user" in text
    assert "<dd>09:00<small>123 ended, 2.0 a minute" in text
    assert "01:01" in text


def test_day_without_jobs_is_a_page_too(tmp_path: Path):
    hours = [counted(f"{hour:02}:00") for hour in range(24)]
    day = a_day(total=counted("all"), hours=hours, actors=[], failures=[], schedules=[], until_ms=MIDNIGHT)
    text = page_of(tmp_path, day)
    assert Page(text).figures == [["svg", "table"]] * 3 + [[]] * 4
    assert "No actor had a job." in text
    assert "as of 00:00" in text


def test_names_and_errors_cannot_become_part_of_the_page(tmp_path: Path):
    day = a_day(
        actors=[counted(HOSTILE, run=Spread(1, 1, 1), dead=1)],
        failures=[Failed(HOSTILE, HOSTILE, 1, MIDNIGHT, MIDNIGHT)],
        schedules=[Punctuality(HOSTILE, [1])],
    )
    assert "script" not in Page(page_of(tmp_path, day)).tags


@pytest.mark.parametrize(
    ("largest", "words"),
    [
        (0, ["0", "1"]),
        (2, ["0", "1", "2"]),
        (3, ["0", "5"]),
        (7, ["0", "5", "10"]),
        (1001, ["0", "1,000", "2,000"]),
    ],
)
def test_axis_ends_at_a_round_number_and_names_whole_ones(largest: int, words: list[str]):
    chart = OverTime("Jobs", ["00:00"], [Series("all", "good", [largest])], number, is_stack=True)
    assert [text for _, text in chart.grid] == words


def test_table_has_a_line_for_each_actor(tmp_path: Path):
    result = generate_report(tmp_path, a_day(), NOBODY)
    assert (result["csv"], result["actors"]) == ("reports/2026-11-25.csv", 2)
    with (tmp_path / result["csv"]).open() as file:
        add, mail = csv.DictReader(file)
    assert (add["actor"], add["enqueued"], add["succeeded"], add["mean_run_ms"]) == ("add", "1000", "100", "")
    assert (mail["dead"], mail["mean_wait_ms"], mail["p95_run_ms"]) == ("3", "4", "61000")


def test_same_day_again_is_the_same_files(tmp_path: Path):
    generate_report(tmp_path, a_day(), NOBODY)
    before = {path.name: path.read_bytes() for path in (tmp_path / "reports").iterdir()}
    generate_report(tmp_path, a_day(), NOBODY)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "reports").iterdir()}
    assert sorted(before) == ["2026-11-25.csv", "2026-11-25.html"]


class TestMail:
    @pytest.fixture
    def host(self) -> Iterator[MailHost]:
        """A mail server."""
        with MailHost() as running:
            yield running

    @pytest.fixture
    def mailing(self, host: MailHost) -> Mailing:
        """Two people get it."""
        server = MailServer(host=host.hostname, port=host.port, tls="none", sender="jobs@example.com")
        return Mailing(server, ("ann@example.org", "bob@example.org"), "17")

    def test_it_goes_to_those_who_are_named_with_page_and_table(
        self, tmp_path: Path, host: MailHost, mailing: Mailing
    ):
        result = generate_report(tmp_path, a_day(), mailing)
        mail = host.mail()
        assert result["mailed"] == host.taken[0].rcpt_tos == ["ann@example.org", "bob@example.org"]
        assert (mail["Subject"], mail["Message-ID"]) == ("Jobs of 2026-11-25", "<17@example.com>")
        text = mail.get_body(("plain",))
        assert text
        assert "1,200 were created, 180 succeeded, 3 failed for good (1.6 %)" in text.get_content()
        assert "  send_email: 1 min 1 s" in text.get_content()
        attached = {each.get_filename(): each.get_payload(decode=True) for each in mail.iter_attachments()}
        assert attached == {
            f"jobs-2026-11-25.{kind}": (tmp_path / result[kind]).read_bytes() for kind in ("html", "csv")
        }

    def test_mail_that_is_refused_leaves_the_files(self, tmp_path: Path, host: MailHost, mailing: Mailing):
        host.answers["DATA"] = "554 no"
        with pytest.raises(PermanentError, match="554"):
            generate_report(tmp_path, a_day(), mailing)
        assert len(list((tmp_path / "reports").iterdir())) == 2
