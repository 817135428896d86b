"""JSON as folded HTML, made by the server: large numbers stay exact, and text stays text."""

import json
import re
from typing import Any

from markupsafe import Markup

OPEN_DEPTH = 2
"""Levels that are unfolded at first."""
OPEN_SIZE = 20
"""Members up to which they are."""
MOST_MEMBERS = 200
"""Those beyond are shown as one text."""
BRIEF = 120
LONG = 200
"""Characters from which on a text is folded."""

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_KEY = Markup('<span class="key"><bdi>{}</bdi></span> ')


def json_text(value: Any, indent: int | None = None) -> str:
    """The JSON text of a value, which reads in the order in which it is: what turns the order of letters is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _TURNING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def brief(value: Any) -> str:
    """The beginning of the JSON text of a value; '' for an empty one."""
    text = json_text(value) if value else ""
    return text if len(text) <= BRIEF else f"{text[: BRIEF - 1]}…"


def folded(value: Any) -> Markup:
    """The HTML of a JSON value."""
    return Markup('<div class="json">{}</div>').format(_value(value, 0, Markup()))


def _value(value: Any, depth: int, key: Markup) -> Markup:
    if isinstance(value, dict) and value:
        return _members(value.items(), "{}", len(value), depth, key)
    if isinstance(value, list) and value:
        return _members(enumerate(value), "[]", len(value), depth, key)
    if isinstance(value, str) and len(value) > LONG:
        begin = json_text(value[:80])[:-1]
        return Markup(
            '<details><summary>{}<span class="text"><bdi>{}…"</bdi></span> <span class="quiet">{} characters</span>'
            '</summary><pre tabindex="0"><bdi>{}</bdi></pre></details>'
        ).format(key, begin, f"{len(value):,}", value)
    kind = "text" if isinstance(value, str) else "value"
    text = json_text(value)
    return Markup('{}<span class="{}"><bdi>{}</bdi></span>').format(key, kind, text)


def _members(members: Any, brackets: str, size: int, depth: int, key: Markup) -> Markup:
    members = list(members)
    shown = [
        Markup("<li>{}</li>").format(_value(inner, depth + 1, _KEY.format(name)))
        for name, inner in members[:MOST_MEMBERS]
    ]
    if size > MOST_MEMBERS:
        rest = json_text([inner for _, inner in members[MOST_MEMBERS:]])
        shown.append(
            Markup(
                '<li><details><summary>{} more</summary><pre tabindex="0"><bdi>{}</bdi></pre></details></li>'
            ).format(f"{size - MOST_MEMBERS:,}", rest)
        )
    is_open = Markup(" open") if depth < OPEN_DEPTH and size <= OPEN_SIZE else ""
    noun = "entry" if size == 1 else "entries"
    return Markup("<details{}><summary>{}{} {} {}</summary><ul>{}</ul></details>").format(
        is_open, key, brackets, f"{size:,}", noun, Markup().join(shown)
    )
