"""Addresses of this service as answers name them: behind a proxy that serves it below a path, with that path."""

from flask import has_request_context, request


def link(path: str) -> str:
    """The address of a path, for a header or for ``links``; on the command line the path itself."""
    return f"{request.script_root}{path}" if has_request_context() else path
