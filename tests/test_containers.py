"""What Dockerfile and compose.yaml say again of the code is still so."""

import re
import tomllib
from pathlib import Path

from worker_service.check import PARTS
from worker_service.commands import WEB_STOP_SECONDS
from worker_service.settings import Settings
from worker_service.supervisor.part import LEAVE_SECONDS

ROOT = Path(__file__).parents[1]
COMPOSE = (ROOT / "compose.yaml").read_text()
PROMETHEUS = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()


def stop_grace_seconds(service: str) -> int:
    found = re.search(rf"\n  {service}:\n(?:    .*\n|\n)*?    stop_grace_period: (\d+)s\n", COMPOSE)
    assert found, service
    return int(found[1])


def test_every_package_of_the_wheel_reaches_the_build():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert [package for package in wheel["packages"] if f"!{package}" not in allowed] == []


def test_worker_is_killed_after_its_grace_only():
    grace_seconds = Settings.model_fields["shutdown_grace_ms"].default / 1000
    assert stop_grace_seconds("worker") >= grace_seconds + LEAVE_SECONDS


def test_web_is_killed_after_the_time_it_gives_its_requests_only():
    assert stop_grace_seconds("web") > WEB_STOP_SECONDS


def test_every_process_of_ours_has_its_health_check():
    assert re.findall(r'"worker-service", "check", "(\w+)"', COMPOSE) == list(PARTS)


def test_first_key_is_where_all_that_need_it_look():
    made = re.findall(r"worker-service first-key (\S+)", COMPOSE)
    assert re.findall(r"JOBS_ADMIN_KEY_FILE: (\S+)", COMPOSE) == made == ["/keys/admin-key"]
    assert re.findall(r"PASSWORD__FILE: (\S+)", COMPOSE) == made
    assert re.findall(r"credentials_file: (\S+)", PROMETHEUS) == made
    user = re.search(r"\nUSER (\d+):\1\n", (ROOT / "Dockerfile").read_text())
    assert user
    assert set(re.findall(r'group_add: \["(\d+)"\]', COMPOSE)) == {user[1]}


def test_image_alone_has_the_health_check_that_fits_every_part():
    assert re.search(
        r'^HEALTHCHECK .*\["worker-service", "check", "self"\]$',
        (ROOT / "Dockerfile").read_text(),
        re.MULTILINE,
    )


def test_only_this_host_reaches_a_port():
    published = re.findall(r"ports: \[(.*)\]", COMPOSE)
    assert published
    assert [port for port in published if not port.startswith('"127.0.0.1:')] == []


def test_every_image_is_pinned_to_a_version():
    bases = re.findall(r"ARG BASE_IMAGE=(\S+)", (ROOT / "Dockerfile").read_text())
    named = bases + re.findall(r"image: \$\{\w+:-(\S+)\}", COMPOSE)
    assert len(named) == 5
    assert [image for image in named if not re.search(r":v?\d+\.\d+", image)] == []
