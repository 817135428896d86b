"""The server of the job store."""

from typing import Literal

from typing_extensions import TypedDict

from .common import Instant


class FindingJson(TypedDict):
    """Something that is not as it should be: an error loses jobs or keeps them from running, a warning may, one day."""

    level: Literal["error", "warning"]
    about: str
    text: str


class ServerJson(TypedDict):
    """A Redis or Valkey server; None for what it does not tell."""

    name: str
    version: str | None
    uptime_s: int | None
    memory_bytes: int | None
    memory_peak_bytes: int | None
    max_memory_bytes: int | None
    eviction: str | None
    append_only: bool | None
    append_only_ok: bool | None
    saved_at: Instant | None
    save_ok: bool | None
    commands_per_s: int | None
    findings: list[FindingJson]
