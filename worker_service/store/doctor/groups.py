"""Groups: they have counted who completed, and somebody is left who may complete them."""

from itertools import chain

from .look import Look, Says, slices

CHECK = "groups"

SAYS: Says = {
    "uncounted": ("Job {subject} has succeeded, but its group {detail} has not counted it.", "count it"),
    "untold": (
        "Job {subject} will not complete, but its group {detail} waits for it.",
        "create the callbacks of the group dead (group_failed), for a person to see",
    ),
    "miscounted": (
        "Group {subject} has {detail} members, but has counted another number.",
        "correct the number; when the group is complete, create its callbacks",
    ),
    "no_callbacks": (
        "The callbacks of group {subject} cannot be read: nothing can follow it.",
        "remove the group; its members are untouched",
    ),
    "no_size": (
        "Group {subject} does not know how many members it has: it would wait for ever.",
        "create its callbacks dead (group_failed), for a person to see",
    ),
    "deserted": (
        "Group {subject} waits for members ({detail} completed), and none of its jobs is left.",
        "create its callbacks dead (group_failed), for a person to see",
    ),
}


def check_groups(look: Look) -> None:
    """Members first, then the groups. A group is deserted when two looks at all jobs found none of its own."""
    groups = set(chain.from_iterable(look.names("group")))
    if not groups:
        return
    deserted = groups - _groups_of_jobs(look)
    _examine(look, groups - deserted, deserted=False)
    if deserted:
        found = _groups_of_jobs(look)
        _examine(look, deserted & found, deserted=False)
        _examine(look, deserted - found, deserted=True)


def _groups_of_jobs(look: Look) -> set[bytes]:
    found: set[bytes] = set()
    for ids in look.names("job"):
        for groups in look.examine(CHECK, SAYS, "examine_members", ids):
            found.update(groups)
    return found


def _examine(look: Look, groups: set[bytes], *, deserted: bool) -> None:
    for some in slices(groups):
        look.examine(CHECK, SAYS, "examine_groups", some, int(deserted))
