"""What an action on a page consists of: what people are asked first, and what the HTTP interface is asked then."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from werkzeug.datastructures import MultiDict

from ...api.body import parsed
from ...jobs.instants import to_text
from ..asking import Reply, ask
from ..durations import read_duration, typed_duration
from ..unreadable import gathered, wrong
from ..wording import utc_ms

Given = MultiDict[str, str]
"""What a form, or the address of one, says."""

_USE = {"number": "use a whole number", "instant": "use a date and a time, as in 2030-01-31T12:00"}
"""What is said of a text that is none."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something that a person is asked for.

    Attributes:
        name: in the body that is sent to the interface.
        kind: how it is asked for and read: text, long, number, duration, instant, json, choice (one of ``options``) or
            several (of them).
        equals: the place whose text has to be typed.
        options: values and the words for them.
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    required: bool = False
    equals: str = ""
    options: tuple[tuple[str, str], ...] = ()

    def read(self, text: str) -> Any:
        """The value for the body; None for nothing.

        Raises:
            Refused: the text is none.
        """
        if not text.strip():
            return None
        try:
            match self.kind:
                case "number":
                    return int(text)
                case "duration":
                    return read_duration(text)
                case "instant":
                    return to_text(utc_ms(text))
                case "json":
                    return parsed(text)
        except ValueError as error:
            raise wrong(f"/{self.name}", f"{self.label}: {_USE.get(self.kind, error)}.") from None
        return text.replace("\r\n", "\n")

    def said(self, given: Given) -> dict[str, Any]:
        """The value under its name; nothing where a form leaves it empty.

        Raises:
            Refused: see `read`.
        """
        if self.kind == "several":
            chosen = given.getlist(self.name)
            return {self.name: chosen} if chosen else {}
        value = self.read(given.get(self.name, ""))
        return {} if value is None else {self.name: value}

    def typed(self, value: Any) -> str:
        """The text that is read as this value."""
        if value is None:
            return ""
        match self.kind:
            case "duration":
                return typed_duration(value)
            case "instant":
                return str(value).removesuffix("Z").removesuffix(".000")
            case "json":
                return json.dumps(value, ensure_ascii=False, indent=2)
        return str(value)


def read_fields(fields: Iterable[Field], given: Given) -> dict[str, Any]:
    """What a form says in these; what is left empty is not in it.

    Raises:
        Refused: names each that cannot be read.
    """
    return gathered(partial(each.said, given) for each in fields)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that people do.

    Attributes:
        name: in addresses.
        endpoint: of the interface, which does it.
        button: what a button says.
        title, text: of the question; names in braces are those of ``places`` and ``hidden``.
        places: what the endpoint's path names, such as a queue.
        fixed: further places, which are the same for all.
        hidden: further values that a form carries along.
        says: more text for the question, found out when it is asked.
        body: the whole body in place of that from ``fields``.
        headers: of the request.
        done: what the next page tells.
        leads: the page that is shown next, if that is not the one that it was done on.
        form: the template of a form that asks for more than ``fields``; it is a page of its own, no dialog.
        about: what that template shows, found out when it is asked; ``given`` may be among it.
        shows: the field of the answer that is shown at once, because nobody can ask for it later.
        is_asked_back: even if there is nothing to fill in.
        is_grave: it takes something away; is asked back too.
        is_once: sent twice, it is done once (the interface takes an ``Idempotency-Key``).
    """

    name: str
    endpoint: str
    button: str
    title: str
    done: str
    text: str = ""
    places: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    hidden: tuple[str, ...] = ()
    says: Callable[[Given], str] | None = None
    body: Callable[[Given], dict[str, Any]] | None = None
    headers: Callable[[Given], dict[str, str]] | None = None
    leads: Callable[[Reply], str] | None = None
    form: str = ""
    about: Callable[[Given], dict[str, Any]] | None = None
    shows: str = ""
    is_asked_back: bool = False
    is_grave: bool = False
    is_once: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether a button leads to a question, and does nothing yet."""
        return self.is_grave or self.is_asked_back or bool(self.fields or self.form)

    def do(self, given: Given) -> Reply:
        """Do it.

        Raises:
            Refused: with the problem.
        """
        body = self.body(given) if self.body else self._from_fields(given)
        headers = self.headers(given) if self.headers else {}
        if self.is_once and given.get("once"):
            headers["Idempotency-Key"] = given["once"]
        return ask(self.endpoint, self._places(given), body=body, headers=headers)

    def worded(self, text: str, given: Given) -> str:
        """A text with its names in braces replaced."""
        for name in (*self.places, *self.hidden):
            text = text.replace(f"{{{name}}}", given.get(name, ""))
        return text

    def told(self, reply: Reply) -> str:
        """What the next page tells; a name in braces is a number that the answer has, or how long its list is."""
        text = self.done
        for name, value in (reply.json or {}).items():
            number = len(value) if isinstance(value, list) else value
            text = text.replace(f"{{{name}}}", f"{number:,}" if isinstance(number, int) else "")
        return text

    def _places(self, given: Given) -> dict[str, str]:
        return {**self.fixed, **{name: given.get(name, "") for name in self.places}}

    def _from_fields(self, given: Given) -> dict[str, Any] | None:
        return read_fields(self.fields, given) if self.fields else None
