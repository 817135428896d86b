"""Cron text: what is read, as what, and what is refused and why."""

import time
from datetime import datetime

import pytest

from worker_service.jobs.cron import LAST_YEAR, MOST_CHARACTERS, SHORTHANDS, Cron, parse_cron
from worker_service.jobs.errors import InvalidCron, InvalidJob

local = datetime.fromisoformat
FRIDAY_13 = local("2026-11-13")


def days(text: str, start: datetime, count: int) -> list[int]:
    """Of the month."""
    cron, found = parse_cron(text), []
    for _ in range(count):
        start = cron.first_from(start) or start
        found.append(start.day)
        start = start.replace(hour=23, minute=59, second=1)
    return found


class TestFields:
    @pytest.mark.parametrize(
        ("text", "minutes"),
        [
            ("5", (5,)),
            ("05", (5,)),
            ("5,3,5", (3, 5)),
            ("8-11", (8, 9, 10, 11)),
            ("*/20", (0, 20, 40)),
            ("10-20/5", (10, 15, 20)),
            ("5-5/2", (5,)),
            ("*/90", (0,)),
            ("0-1,50-59/9,7", (0, 1, 7, 50, 59)),
            ("*", tuple(range(60))),
            ("7,*", tuple(range(60))),
        ],
    )
    def test_values_ranges_steps_and_lists_are_read(self, text: str, minutes: tuple[int, ...]):
        assert parse_cron(f"{text} * * * *").minutes == minutes

    def test_months_and_days_have_names_in_any_case(self):
        cron = parse_cron("0 0 * jan,Mar-MAY/2,12 Mon-fri,SAT")
        assert cron.months == (1, 3, 5, 12)
        assert cron.weekdays == (1, 2, 3, 4, 5, 6)

    @pytest.mark.parametrize("text", ["0", "7", "sun", "SUN", "0,7", "7-7"])
    def test_sunday_has_two_numbers_and_a_name(self, text: str):
        assert parse_cron(f"0 0 * * {text}").weekdays == (0,)

    def test_sunday_may_end_a_range(self):
        assert parse_cron("0 0 * * fri-7").weekdays == (0, 5, 6)

    @pytest.mark.parametrize(("short", "text"), SHORTHANDS.items())
    def test_shorthands_stand_for_five_fields(self, short: str, text: str):
        assert parse_cron(short) == parse_cron(f" {short.upper()}\n") == parse_cron(text)

    def test_weekly_is_on_sundays(self):
        assert parse_cron("@weekly").first_from(FRIDAY_13) == local("2026-11-15")

    def test_its_text_makes_the_same_value(self):
        cron = parse_cron("  */5\t2  1,15 JAN   Sun ")
        assert str(cron) == "*/5 2 1,15 jan sun"
        assert parse_cron(str(cron)) == cron

    def test_text_that_means_the_same_is_equal(self):
        assert parse_cron("0,30 1-3 * * 7") == parse_cron("0-59/30 1,2,3 * * sun")
        assert len({parse_cron("0 0 * * 0"), parse_cron("@weekly")}) == 1


class TestDays:
    """`FRIDAY_13` is in November 2026."""

    def test_either_matches_when_both_are_restricted(self):
        assert days("0 0 16,17 * fri", FRIDAY_13, 4) == [13, 16, 17, 20]

    def test_both_have_to_match_when_one_begins_with_a_star(self):
        assert days("0 0 */2 * fri", FRIDAY_13, 3) == [13, 27, 11]
        assert days("0 0 13 * */5", FRIDAY_13, 2) == [13, 13]
        assert parse_cron("0 0 13 * */5").first_from(local("2026-11-14")) == local("2026-12-13")

    def test_same_days_without_a_star_count_as_restricted(self):
        assert days("0 0 1-31/2 * fri", FRIDAY_13, 4) == [13, 15, 17, 19]
        assert days("0 0 5,* * mon", FRIDAY_13, 3) == [13, 14, 15]

    def test_star_alone_leaves_the_other_field_to_decide(self):
        assert days("0 0 * * fri", FRIDAY_13, 3) == [13, 20, 27]
        assert days("0 0 14 * *", FRIDAY_13, 3) == [14, 14, 14]

    def test_months_that_are_too_short_are_passed_over(self):
        cron = parse_cron("0 0 31 * *")
        assert cron.first_from(local("2026-08-31 00:01")) == local("2026-10-31")

    def test_february_29_comes_in_leap_years(self):
        cron = parse_cron("30 2 29 2 *")
        assert cron.first_from(FRIDAY_13) == local("2028-02-29 02:30")
        assert cron.first_from(local("2096-03-01")) == local("2104-02-29 02:30")

    def test_february_29_on_a_sunday_may_be_forty_years_away(self):
        assert parse_cron("0 0 29 2 */7").first_from(local("2088-03-01")) == local("2128-02-29")

    def test_search_ends_with_the_last_year(self):
        cron = parse_cron("0 0 29 2 *")
        assert cron.first_from(local(f"{LAST_YEAR - 1}-01-01")) is None


class TestTimes:
    def test_minute_itself_counts(self):
        assert parse_cron("30 9 * * *").first_from(local("2026-11-13 09:30")) == local("2026-11-13 09:30")

    @pytest.mark.parametrize("start", ["2026-12-31 23:59:01", "2026-12-31 23:59:00.000001"])
    def test_minute_that_has_begun_does_not(self, start: str):
        assert parse_cron("* * * * *").first_from(local(start)) == local("2027-01-01")

    def test_several_minutes_of_several_hours_come_in_order(self):
        cron, at, found = parse_cron("0,30 9,17 * * *"), FRIDAY_13, []
        for _ in range(5):
            at = cron.first_from(at.replace(second=1)) or at
            found.append((at.day, at.hour, at.minute))
        assert found == [(13, 9, 0), (13, 9, 30), (13, 17, 0), (13, 17, 30), (14, 9, 0)]


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "field", "why"),
        [
            ("60 * * * *", "minute", "from 0 to 59"),
            ("* 24 * * *", "hour", "from 0 to 23"),
            ("0 0 0 * *", "day of month", "from 1 to 31"),
            ("0 0 * 13 *", "month", "from 1 to 12"),
            ("0 0 * * 8", "day of week", "from 0 to 7"),
            ("0 0 * * 1-999999999", "day of week", "from 0 to 7"),
            ("0 0 1--100000000 * *", "day of month", "write *"),
            ("*/0 * * * *", "minute", "step of 0"),
            ("*/-5 * * * *", "minute", "write *"),
            ("5/15 * * * *", "minute", "write 5-59/15"),
            ("5-1 * * * *", "minute", "backwards"),
            ("0 0 * * fri-sun", "day of week", "backwards"),
            ("1,,2 * * * *", "minute", "comma"),
            ("1-2-3 * * * *", "minute", "write *"),
            ("*-5 * * * *", "minute", "write *"),
            ("+5 * * * *", "minute", "write *"),
            ("1.5 * * * *", "minute", "write *"),
            ("? * * * *", "minute", "write *"),
            ("mon * * * *", "minute", "write numbers"),
            ("0 0 * * monday", "day of week", "Did you mean 'mon'?"),
            ("0 0 * jam *", "month", "Did you mean 'jan'?"),
            ("0 0 L * *", "day of month", "not supported"),
            ("0 0 15W * *", "day of month", "not supported"),
            ("0 0 LW * *", "day of month", "not supported"),
            ("0 0 * * 5L", "day of week", "not supported"),
            ("0 0 * * fri#2", "day of week", "not supported"),
            ("0 0 30 2 *", "day of month", "more than 29 days"),
            ("0 0 31 2,4,6,9,11 *", "day of month", "more than 30 days"),
            ("0 0 30 2 */2", "day of month", "more than 29 days"),
            ("", "", "it has 0 fields"),
            ("* * * *", "", "it has 4 fields"),
            ("0 * * * * *", "", "it has 6 fields"),
            ("٣ * * * *", "", "ASCII"),
            ("1\u00a0* * * * *", "", "ASCII"),
            ("1\x00 * * * *", "minute", "write *"),
            ("@reboot", "", "no moment"),
            ("@every 5m", "", "no such shorthand"),
            ("@dayly", "", "Did you mean '@daily'?"),
            ("1," * 10**6 + "1 * * * *", "", f"{MOST_CHARACTERS} are the most"),
        ],
    )
    def test_wrong_text_is_refused_at_once_with_its_field(self, text: str, field: str, why: str):
        began = time.process_time()
        with pytest.raises(InvalidCron) as refused:
            parse_cron(text)
        assert time.process_time() - began < 0.1
        assert refused.value.field == field
        assert why in str(refused.value)
        assert len(str(refused.value)) < 700

    def test_it_is_an_error_of_what_was_asked_for(self):
        with pytest.raises(InvalidJob) as refused:
            parse_cron("x")
        assert refused.value.code == "bad_cron"

    def test_weekday_saves_a_day_of_month_that_never_comes(self):
        assert days("0 0 31 2 mon", FRIDAY_13, 2) == [1, 8]

    def test_longest_text_is_read(self):
        text = " ".join(
            ",".join(map(str, values))
            for values in (range(1, 60), range(1, 24), range(2, 32), range(2, 13), range(1, 7))
        )
        assert isinstance(parse_cron(text), Cron)
