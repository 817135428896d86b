"""The version of what is in the store. It changes only when older code could not read what newer code writes.

A process refuses a store of a newer version: it would misread what it finds. One of an older version needs no step as
long as there is one version; the first change that needs one adds it here, to be run by whoever starts first.
"""

from ..jobs.errors import StoreTooNew

SCHEMA = 1


def refuse_newer(found: object) -> None:
    """Look at the version that stands in the store, as bytes; none is ours.

    Raises:
        StoreTooNew: the data was written by a newer version.
    """
    if isinstance(found, bytes) and found.isdigit() and int(found) > SCHEMA:
        raise StoreTooNew(
            f"The data has schema {int(found)}, this version knows {SCHEMA}: run a newer version."
        )
