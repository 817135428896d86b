"""Names that people type, and the nearest one when they mistype."""

import difflib
from collections.abc import Iterable

_WORDS = {
    "acks_late": ("max_crashes",),
    "autoretry_for": ("retry_on",),
    "countdown": ("delay_ms", "delay"),
    "default_retry_delay": ("backoff",),
    "delay": ("delay_ms",),
    "delay_ms": ("delay",),
    "dont_autoretry_for": ("fail_on",),
    "eta": ("run_at", "delay"),
    "expires": ("expires_in_ms", "expires_in"),
    "ignore_result": ("store_result",),
    "kwargs": ("args",),
    "link": ("on_success",),
    "link_error": ("on_failure",),
    "name": ("actor_name",),
    "retry_backoff": ("min_backoff",),
    "retry_backoff_max": ("max_backoff",),
    "routing_key": ("queue", "queue_name"),
    "run_at": ("delay",),
    "soft_time_limit": ("time_limit", "time_limit_ms"),
    "task": ("actor",),
}
"""A word of Celery, or of the other way in -> what it is called here: the first of these that is known."""

_IN_SECONDS = {
    "countdown",
    "default_retry_delay",
    "expires",
    "retry_backoff",
    "retry_backoff_max",
    "soft_time_limit",
}
"""Of these words: times that are seconds there, and milliseconds here."""

_SHOWN = 30


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that may have been meant."""
    names = sorted(known)
    by_word = [here for here in _WORDS.get(name, ()) if here in names]
    return next(iter(by_word or difflib.get_close_matches(name, names, n=1, cutoff=0.6)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest of ``known``, as in " Did you mean 'add'?"; else the list of what there is."""
    names = sorted(known)
    near = nearest(name, names)
    if near:
        unit = " (in milliseconds)" if name in _IN_SECONDS and near in _WORDS[name] else ""
        return f" Did you mean {near!r}{unit}?"
    end = ", ..." if len(names) > _SHOWN else "."
    return f" There are: {', '.join(names[:_SHOWN])}{end}" if names else ""
