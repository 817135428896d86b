"""Adds two numbers: the smallest job there is, to try the service with."""


def add(x: int, y: int) -> int:
    """The sum of two whole numbers."""
    return x + y
