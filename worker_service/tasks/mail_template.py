"""The words of a mail: as they were given, or made by templates of a directory.

``welcome`` is ``welcome.txt`` and, if there is one, ``welcome.html``, in which values are escaped. The text may name
the subject: ``{% set subject = "Your order " ~ number %}``.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..jobs.errors import PermanentError

if TYPE_CHECKING:
    import jinja2


class Words(NamedTuple):
    """What a mail says; ``html`` is a second form of the text."""

    subject: str
    text: str
    html: str | None


def written(
    folder: Path | None,
    subject: str | None,
    text: str | None,
    html: str | None,
    template: str | None,
    values: Mapping[str, Any] | None,
) -> Words:
    """The words of a mail: subject and text, or those of a template.

    Args:
        folder: of the templates.
        subject: goes before that of the template.
        template: its name, without an ending.
        values: what the template writes.

    Raises:
        PermanentError: words are missing or given twice, there is no such template, it is wrong, or it needs a value
            that is not given.
    """
    if template is None:
        if subject is None or text is None or values is not None:
            raise PermanentError("a mail needs a subject and a text, or a template and its values")
        return Words(subject, text, html)
    if text is not None or html is not None:
        raise PermanentError("a template makes text and HTML: give the template or the words, not both")
    if folder is None:
        raise PermanentError("there are no templates: JOBS_MAIL_TEMPLATES names their directory")
    try:
        made = _rendered(folder, template, values or {})
    except (OSError, MemoryError, PermanentError):
        raise
    except Exception as error:  # whatever a template raises, it does so again with the same values
        raise PermanentError(f"the template {template!r} cannot be used: {error}") from error
    if subject is None and made.subject == "":
        raise PermanentError(f"a subject is missing: give one, or set it in {template}.txt")
    return made if subject is None else made._replace(subject=subject)


def _rendered(folder: Path, name: str, values: Mapping[str, Any]) -> Words:
    from jinja2 import TemplateNotFound

    environment = _environment(folder)
    try:
        text = environment.get_template(f"{name}.txt").make_module(dict(values))
    except TemplateNotFound as error:
        wrong = " (leave out the ending)" if name.endswith((".txt", ".html")) else ""
        raise PermanentError(f"there is no template {error.name!r} in {folder}{wrong}") from error
    try:
        html_template = environment.get_template(f"{name}.html")
    except TemplateNotFound:
        html = None
    else:
        html = html_template.render(values)
    return Words(str(getattr(text, "subject", "")), str(text), html)


@lru_cache(maxsize=4)
def _environment(folder: Path) -> "jinja2.Environment":
    """Keeps what was compiled, and reads anew what has changed."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=jinja2.select_autoescape(["html"], default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
