"""Tags: a job is found under those that it has, and under no others."""

from .look import Look, Says

CHECK = "tags"

SAYS: Says = {
    "untagged": ("Job {subject} has the tag {detail}, and is not found under it.", "put it there"),
    "wrong_tag": (
        "Job {subject} is found under the tag {detail}, which it does not have.",
        "remove it from there",
    ),
}


def check_tags(look: Look) -> None:
    """From both sides."""
    for ids in look.names("tags"):
        look.examine(CHECK, SAYS, "examine_tags", ids, "")
    for tags in look.names("tag"):
        for tag in tags:
            for ids in look.members(look.key("tag", tag)):
                look.examine(CHECK, SAYS, "examine_tags", ids, tag)
