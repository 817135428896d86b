"""The blocks of code in docs/from-celery.md, and what runs those of our side."""

import ast
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "from-celery.md"
USUAL_URL = "http://127.0.0.1:8000"
TASKS = "# my/tasks.py\n"
_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SAYS = re.compile(r"\)  # (.+)$")

EXPECT = '''
import time


def expect(look, wanted, line):
    """Look again until it is so: jobs take their time."""
    end = time.monotonic() + 15
    while (found := str(look())) != wanted:
        if time.monotonic() > end:
            raise SystemExit(f"{line}\\n  says {wanted}, but it is {found}")
        time.sleep(0.02)


def command(*words, codes):
    """A command of the console, in this process: starting one takes longer than what it does."""
    from click.testing import CliRunner

    from worker_service.cli import main

    done = CliRunner().invoke(main, words)
    if done.exit_code not in codes:
        raise SystemExit(f"worker-service {' '.join(words)}: {done.exit_code}\\n{done.output}{done.exception}")
'''


@dataclass(frozen=True)
class Block:
    """A fenced block of the page.

    Attributes:
        side: Celery or Here, as the nearest line above that begins so says; a file of `proj` is Celery's in any case.
    """

    side: str
    language: str
    text: str


def blocks() -> list[Block]:
    """All of the page, in its order."""
    page = PAGE.read_text()
    return [
        Block(
            _side(page[: found.start()], found[3].lstrip()), found[2], textwrap.dedent(found[3]).lstrip("\n")
        )
        for found in _FENCE.finditer(page)
    ]


def _side(above: str, text: str) -> str:
    if text.startswith("# proj/"):
        return "Celery"
    said: list[str] = re.findall(r"^(Celery:|Here|##)", above, re.MULTILINE)
    return said[-1].rstrip(":")


def ours(language: str) -> list[str]:
    """The blocks of our side in a language."""
    return [block.text for block in blocks() if (block.side, block.language) == ("Here", language)]


def module() -> str:
    """`my/tasks.py`, of all blocks that say they stand there."""
    return "\n\n".join(text.removeprefix(TASKS) for text in ours("python") if text.startswith(TASKS))


def script(url: str) -> str:
    """All other blocks of Python as a program, which ends with code 1 when a `print` does not say what is so."""
    parts = [_checked(text) for text in ours("python") if not text.startswith(TASKS)]
    return "\n".join([EXPECT, *parts]).replace(USUAL_URL, url)


def _checked(text: str) -> str:
    lines = text.splitlines()
    for node in ast.parse(text).body:
        says = _SAYS.search(lines[(node.end_lineno or 0) - 1])
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[value])):
                assert says, f"this line does not say what it prints: {lines[node.lineno - 1]}"
                checked = f"expect(lambda: ({ast.unparse(value)}), {says[1]!r}, {lines[node.lineno - 1]!r})"
                lines[node.lineno - 1 : node.end_lineno] = [checked]
    return "\n".join(lines)


def commands() -> tuple[list[str], list[str]]:
    """The lines for a shell: those that run until they are stopped, and those that end."""
    lines = [line for text in ours("sh") for line in text.splitlines()]
    lasting = [line for line in lines if re.search(r"worker-service worker( |$)|dramatiq|scheduler", line)]
    return lasting, [line for line in lines if line not in lasting]
