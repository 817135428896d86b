"""Addresses of this service as answers name them: behind a proxy that serves it below a path, with that path."""

from urllib.parse import urlsplit

from flask import has_request_context, request


def link(path: str) -> str:
    """The address of a path, for a header or for ``links``; on the command line the path itself."""
    return f"{request.script_root}{path}" if has_request_context() else path


def inside(address: str) -> str:
    """Where a form says to go on: a page of ours, never one that somebody else has put into a link."""
    parts = urlsplit(address.replace("\\", "/"))
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path.startswith("//"):
        return link("/")
    return f"{link(parts.path)}?{parts.query}" if parts.query else link(parts.path)
