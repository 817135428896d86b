"""What an action on a page consists of: what people are asked first, and what the HTTP interface is asked then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from ...api.body import parsed
from ...jobs.instants import to_text
from ..asking import Refused, Reply, ask
from ..wording import utc_ms

Given = MultiDict[str, str]
"""What a form, or the address of one, says."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something that a person is asked for.

    Attributes:
        name: in the body that is sent to the interface.
        kind: how it is asked for and read: text, long, number, instant, json or name (a text that must be ``equals``).
        equals: the place whose text has to be typed.
    """

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    required: bool = False
    equals: str = ""

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
                case "instant":
                    return to_text(utc_ms(text))
                case "json":
                    return parsed(text)
        except ValueError as error:
            raise wrong(f"/{self.name}", f"{self.label}: {error}.") from None
        return text.replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that people do.

    Attributes:
        name: in addresses.
        endpoint: of the interface, which does it.
        button: what a button says.
        title, text: of the question; names in braces are those of ``places``.
        places: what the endpoint's path names, such as a queue.
        fixed: further places, which are the same for all.
        hidden: further values that a form carries along.
        says: more text for the question, found out when it is asked.
        body: the whole body in place of that from ``fields``.
        headers: of the request.
        done: what the next page tells.
        leads: the page that is shown next, if that is not the one that it was done on.
        shows: the field of the answer that is shown at once, because nobody can ask for it later.
        is_grave: is asked back, even if there is nothing to fill in.
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
    shows: str = ""
    is_grave: bool = False
    is_once: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether a button leads to a question, and does nothing yet."""
        return self.is_grave or bool(self.fields)

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
        for name in self.places:
            text = text.replace(f"{{{name}}}", given.get(name, ""))
        return text

    def told(self, reply: Reply) -> str:
        """What the next page tells; ``{done}`` is a number that the answer has."""
        return self.done.replace("{done}", str((reply.json or {}).get("done", "")))

    def _places(self, given: Given) -> dict[str, str]:
        return {**self.fixed, **{name: given.get(name, "") for name in self.places}}

    def _from_fields(self, given: Given) -> dict[str, Any] | None:
        values = {each.name: each.read(given.get(each.name, "")) for each in self.fields}
        found = {name: value for name, value in values.items() if value is not None}
        return found if self.fields else None


def wrong(pointer: str, detail: str) -> Refused:
    """What a person has typed cannot be read, so it was not sent."""
    errors = [{"pointer": pointer, "detail": detail, "code": "not_read"}]
    problem: Mapping[str, Any] = {
        "type": "about:blank",
        "title": "This cannot be read",
        "status": 422,
        "detail": detail,
        "errors": errors,
    }
    return Refused(dict(problem), {})
