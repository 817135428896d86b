"""Reading an OpenAPI document."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

ROOT = Path(__file__).parents[2]
CHECKED_IN = ROOT / "docs" / "openapi.json"
COMMAND = Path(sys.executable).parent / "worker-service"
PROBLEM = "application/problem+json"


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and Operation Object of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to, or the part itself."""
    while "$ref" in part:
        found: Any = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def errors_of(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    whole = {**schema, "components": document["components"]}
    validator = Draft202012Validator(whole, validate_formats=True)
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


def printed_document() -> str:
    """What ``worker-service openapi`` says of the built-in actors."""
    environment = {"PATH": "/usr/bin:/bin", "JOBS_ACTOR_MODULES": ""}
    done = subprocess.run(
        [COMMAND, "openapi"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
