"""What a person has typed and cannot be read, so that it is not sent: told in the form of the interface's problems."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .asking import Refused


def wrong(pointer: str, detail: str) -> Refused:
    """One thing that cannot be read.

    Args:
        pointer: where it would stand in the body.
    """
    return _refused([{"pointer": pointer, "detail": detail, "code": "not_read"}])


def gathered(reads: Iterable[Callable[[], Mapping[str, Any]]]) -> dict[str, Any]:
    """What all parts of a form say.

    Raises:
        Refused: tells at once what is wrong with any of them.
    """
    found: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for read in reads:
        try:
            found.update(read())
        except Refused as error:
            if "errors" not in error.problem:
                raise
            errors += error.problem["errors"]
    if errors:
        raise _refused(errors)
    return found


def by_field(problem: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """What is wrong with each field of a body and each argument, by its pointer: ``/cron``, ``/args/to``."""
    found: dict[str, list[str]] = {}
    for error in (problem or {}).get("errors") or ():
        parts = str(error.get("pointer", "")).split("/")
        place = "/".join(parts[: 3 if parts[1:2] == ["args"] else 2])
        found.setdefault(place, []).append(str(error.get("detail", "")))
    return found


def _refused(errors: list[dict[str, str]]) -> Refused:
    detail = " ".join(error["detail"] for error in errors)
    return Refused(
        {
            "type": "about:blank",
            "title": "Nothing was sent",
            "status": 422,
            "detail": detail,
            "errors": errors,
        },
        {},
    )
