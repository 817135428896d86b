"""Names that people type, and the nearest one when they mistype."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that may have been meant."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest of ``known``, as in " Did you mean 'add'?"; else the list of what there is."""
    names = sorted(known)
    near = nearest(name, names)
    if near:
        return f" Did you mean {near!r}?"
    return f" There are: {', '.join(names[:20])}." if names else ""
