"""What needs somebody now."""

from typing import Literal

from typing_extensions import TypedDict


class AlertJson(TypedDict):
    """Something that is wrong; docs/deploy.md says under its ``name`` what to do.

    ``of`` is the queue, schedule or actor that it is about, None when it is the whole service.
    """

    name: str
    severity: Literal["critical", "warning"]
    of: str | None
    text: str


class AlertsJson(TypedDict):
    """The worst first."""

    items: list[AlertJson]
