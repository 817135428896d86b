"""Which JSON values are the same, however they are written."""

from typing import Any


def one_spelling(value: Any) -> Any:
    """The value with 1.0 and 1e0 as 1, which they are everywhere in the interface."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: one_spelling(inner) for name, inner in value.items()}
    return [one_spelling(inner) for inner in value] if isinstance(value, list | tuple) else value
