"""The Redis or Valkey server over HTTP: what it says of itself, and what is wrong with how it is set up."""

from typing import Any

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..jobs.instants import to_text
from ..store import examine
from .answers import FindingJson, ServerJson
from .documented import documented


def server(broker: JobBroker) -> Blueprint:
    """The route of the server."""
    routes = Blueprint("server", __name__)

    @routes.get("/v1/server")
    @documented(
        "Read what the job store's server says of itself, and what is wrong with it.", {200: ServerJson}
    )
    def show() -> Response:
        findings = [
            FindingJson(level=each.level, about=each.about, text=each.text)
            for each in examine(broker.store.client, broker.store.keys)
        ]
        return jsonify({**_facts(broker.vitals.read()), "findings": findings})

    return routes


def _facts(info: dict[str, Any]) -> dict[str, Any]:
    """None for what a managed server does not tell."""
    saved = _number(info, "rdb_last_save_time")
    return {
        "name": str(info.get("server_name", "redis")),
        "version": info.get("valkey_version") or info.get("redis_version"),
        "uptime_s": _number(info, "uptime_in_seconds"),
        "memory_bytes": _number(info, "used_memory"),
        "memory_peak_bytes": _number(info, "used_memory_peak"),
        "max_memory_bytes": _number(info, "maxmemory") or None,
        "eviction": info.get("maxmemory_policy"),
        "append_only": None if "aof_enabled" not in info else bool(info["aof_enabled"]),
        "append_only_ok": None
        if "aof_last_write_status" not in info
        else info["aof_last_write_status"] == "ok",
        "saved_at": to_text(saved * 1000) if saved else None,
        "save_ok": None if "rdb_last_bgsave_status" not in info else info["rdb_last_bgsave_status"] == "ok",
        "commands_per_s": _number(info, "instantaneous_ops_per_sec"),
    }


def _number(info: dict[str, Any], name: str) -> int | None:
    found = info.get(name)
    return found if isinstance(found, int) else None
