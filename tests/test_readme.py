"""The README says what is so. A failing test prints the text that belongs there."""

import re
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from worker_service.settings import USUAL_REDIS_URL, Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def default_of(field: FieldInfo) -> str:
    value = USUAL_REDIS_URL if field.default is PydanticUndefined else field.default
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value in ((), {}, None) else f"`{value}`"


def settings_table() -> str:
    rows = [
        f"| `JOBS_{name.upper()}` | {default_of(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| name | default | what it sets |", "|---|---|---|", *rows])


def test_settings_table_is_that_of_the_code():
    found = re.search(r"<!-- settings: .*? -->\n(.*)<!-- end of settings -->", README, re.DOTALL)
    assert found
    assert found[1].strip() == settings_table(), f"the table should be:\n\n{settings_table()}"


def test_files_it_names_exist():
    named = re.findall(r"`((?:worker_service|docs|tests)/[\w./-]*)`", README)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
