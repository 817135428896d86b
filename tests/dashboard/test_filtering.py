"""What a person types into the filter box is what the HTTP interface is asked."""

import time

import pytest

from worker_service.dashboard.asking import Refused
from worker_service.dashboard.filtering import condition, read_filter
from worker_service.jobs.instants import to_ms


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", {}),
        ("actor:resize state:dead queue:emails", {"actor": "resize", "state": "dead", "queue": "emails"}),
        ("tag:customer:7", {"tag": "customer:7"}),
        ("args.user_id:42", {"arg": "user_id:42"}),
        ('args.order.name:"a b"', {"arg": "order.name:a b"}),
        ('error:"not found" two words', {"error": "not found", "q": "two words"}),
        ('"state:dead"', {"q": "state:dead"}),
        (r'error:"a \"b\" \\c"', {"error": r'a "b" \c'}),
        ("https://example.org/x?y:1", {"q": "https://example.org/x?y:1"}),
        ("12:30", {"q": "12:30"}),
    ],
)
def test_words_are_conditions_or_text(text: str, query: dict[str, str]):
    assert read_filter(text).query == query


@pytest.mark.parametrize("ago", [("30m", 1800), ("24h", 86_400), ("7d", 604_800), ("90s", 90)])
def test_since_may_be_how_long_ago(ago: tuple[str, int]):
    since = to_ms(read_filter(f"since:{ago[0]}").query["since"])
    assert abs(time.time() * 1000 - ago[1] * 1000 - since) < 5000


def test_since_may_be_an_instant_in_utc():
    assert read_filter("since:2030-01-31").query["since"] == "2030-01-31T00:00:00.000Z"
    assert read_filter("until:2030-01-31T12:00+02:00").query["until"] == "2030-01-31T10:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("stat:dead", "Did you mean 'state'"),
        ("zzzzzz:x", "quotes"),
        ("state:dead state:queued", "once"),
        ("args.a:1 args.b:2", "once"),
        ("since:soon", "how long ago"),
    ],
)
def test_what_is_wrong_is_told(text: str, hint: str):
    with pytest.raises(Refused, match=hint):
        read_filter(text)


@pytest.mark.parametrize("value", ["plain", "two words", 'quoted "text"', "back\\slash \\", "a:b", "\u05e9"])
def test_a_condition_is_read_as_it_was_written(value: str):
    assert read_filter(condition(value, "queue")).query == {"queue": value}


def test_a_condition_is_replaced_among_others():
    wanted = read_filter('state:dead error:"a b" more')
    assert wanted.with_condition("state", "queued") == 'error:"a b" more state:queued'
    assert wanted.with_condition("state", None) == 'error:"a b" more'
