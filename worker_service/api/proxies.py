"""Reverse proxies: what they say of the client is believed when they are known, and dropped when others say it.

Each proxy adds the address that it was asked from to ``X-Forwarded-For``. So the list is read from its end for as long
as proxies of ours have written it; what stands before may be the client's invention. Werkzeug's ``ProxyFix`` counts
proxies instead, and believes whoever reaches the port.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED = ("FOR", "PROTO", "HOST", "PREFIX", "PORT")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-fA-F:.]+\](:\d{1,5})?")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")


class Proxies:
    """WSGI middleware.

    Args:
        app: what it stands before.
        trusted: networks of our proxies.
        prefix: the path below which all is served, '' for none. Proxies may strip it or leave it.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], trusted: Sequence[Network], prefix: str) -> None:
        self._app = app
        self._trusted = trusted
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        given = {name: environ.pop(f"HTTP_X_FORWARDED_{name}", "") for name in _FORWARDED}
        prefix = self._prefix
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            prefix = self._believe(environ, {name: _parts(value) for name, value in given.items()}) or prefix
        if prefix:
            environ["SCRIPT_NAME"] = prefix
            path = environ.get("PATH_INFO", "")
            if path == prefix or path.startswith(f"{prefix}/"):
                environ["PATH_INFO"] = path.removeprefix(prefix)
        return self._app(environ, start_response)

    def _believe(self, environ: dict[str, Any], given: dict[str, list[str]]) -> str:
        """Write into the environment what a proxy of ours says; returns the prefix that it gives."""
        hops = 1
        addresses = given["FOR"]
        while hops < len(addresses) and self._trusts(addresses[-hops]):
            hops += 1
        if addresses and _address(addresses[-hops]) is not None:
            environ["REMOTE_ADDR"] = str(_address(addresses[-hops]))
        scheme = _of_hop(given["PROTO"], hops).lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = _of_hop(given["HOST"], hops)
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host
        prefix = _of_hop(given["PREFIX"], hops).rstrip("/")
        return prefix if _PREFIX.fullmatch(prefix) else ""

    def _trusts(self, text: str) -> bool:
        address = _address(text) if self._trusted else None
        return address is not None and any(address in network for network in self._trusted)


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",")] if value else []


def _of_hop(values: list[str], hops: int) -> str:
    """What the outermost proxy of ours wrote, where each has added its own; else the only one there is."""
    return values[-min(hops, len(values))] if values else ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Without port; IPv4 in IPv6 as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
