"""Cron in words."""

import pytest

from worker_service.dashboard.cron_words import cron_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("*/5 9-17 * * mon-fri", "every 5 minutes in the hours 9 to 17 on Monday to Friday"),
        ("0 * * * *", "every hour at minute 0"),
        ("@daily", "at 00:00 every day"),
        ("30 9 * * mon-fri", "at 09:30 on Monday to Friday"),
        ("0 6,18 1 * *", "at 06:00 and 18:00 on day 1 of the month"),
        ("0 0 13 * fri", "at 00:00 on day 13 of the month or on Friday"),
        ("0 0 1 jan,jul *", "at 00:00 on day 1 of the month in January and July"),
        ("5,35 0-20 * * sun", "at minute 5 and 35 in the hours 0 to 20 on Sunday"),
        ("nonsense", "nonsense"),
    ],
)
def test_tells_when(text: str, words: str):
    assert cron_words(text) == words
