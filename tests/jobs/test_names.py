"""Names that people mistype, or bring along from elsewhere."""

import pytest

from worker_service.names import did_you_mean

FIELDS = ("actor", "args", "delay_ms", "expires_in_ms", "queue", "run_at", "tags")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("quue", " Did you mean 'queue'?"),
        ("countdown", " Did you mean 'delay_ms' (in milliseconds)?"),
        ("eta", " Did you mean 'run_at'?"),
        ("task", " Did you mean 'actor'?"),
    ],
)
def test_word_of_celery_leads_to_the_one_here(word: str, hint: str):
    assert did_you_mean(word, FIELDS) == hint


def test_word_that_is_like_none_gets_all_of_them():
    assert did_you_mean("nothing", FIELDS) == f" There are: {', '.join(FIELDS)}."


def test_long_list_says_that_it_goes_on():
    assert did_you_mean("nothing", [f"a{number:02}" for number in range(99)]).endswith(", a29, ...")
