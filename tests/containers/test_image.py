"""The image as it was built: small, without tools, for a user without rights."""

from importlib.metadata import version

import pytest

from tests.containers.podman import LIMITS, inspected, podman
from worker_service import __version__

MEGABYTE = 1_000_000


def in_image(image: str, script: str) -> str:
    return podman(
        "run",
        "--rm",
        "--read-only",
        *LIMITS,
        "--no-healthcheck",
        "--network",
        "none",
        image,
        "sh",
        "-c",
        script,
    )


def test_it_is_small(image: str):
    assert inspected(image)["Size"] < 200 * MEGABYTE


def test_it_has_nothing_to_build_with(image: str):
    found = in_image(image, "for tool in pip pip3 uv gcc cc make git curl; do command -v $tool; done; true")
    assert found == ""
    assert in_image(image, "python3 -m pip --version 2>&1; true").endswith("No module named pip")


def test_its_user_has_no_rights_and_owns_nothing_but_data_and_keys(image: str):
    assert in_image(image, "id -u") == "10001"
    owned = in_image(image, "find / -xdev -user 10001 -not -path '/proc/*' 2>/dev/null; true").splitlines()
    assert owned == ["/data", "/keys"]
    assert "Read-only" in in_image(image, "touch /data/x 2>&1; true")


def test_it_says_what_it_is(image: str):
    labels = inspected(image)["Labels"]
    assert labels["org.opencontainers.image.title"] == "worker-service"
    assert labels["org.opencontainers.image.licenses"] == "MIT"


def test_it_has_a_health_check(image: str):
    assert inspected(image)["Healthcheck"]["Test"] == ["CMD", "worker-service", "check", "self"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("worker-service --version", __version__),
        ("dramatiq --version", version("dramatiq")),
        ("python3 -m scheduler --help", "--list"),
    ],
)
def test_it_has_the_commands(image: str, command: str, says: str):
    assert says in in_image(image, command)
