"""Names that people type, and the nearest one when they mistype."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest of ``known``, as in " Did you mean 'add'?"; else the list of what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" There are: {', '.join(names[:20])}." if names else ""
