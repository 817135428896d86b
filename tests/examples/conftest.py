"""The wheels of the service and of the shop, installed as a team would, and the shop running on them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.partner import Partner
from tests.examples.running import RunningShop
from tests.examples.stripe_api import StripeApi, serving
from tests.mail_host import MailHost
from worker_service.embedded import EmbeddedServer

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "examples" / "shop"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two wheels in it, to be put before all others on PYTHONPATH."""
    folder = tmp_path_factory.mktemp("installed")
    # Built from a copy: what builds leaves nothing beside the sources.
    service = folder / "service"
    service.mkdir()
    for name in ("worker_service", "scheduler"):
        shutil.copytree(ROOT / name, service / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, service)
    shutil.copytree(SHOP, folder / "shop", ignore=shutil.ignore_patterns("__pycache__", ".venv", ".data"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "wheel", *offline, "-w", folder, service, folder / "shop"], check=True)
    site = folder / "site"
    subprocess.run(
        [*pip, "install", "--no-index", "--no-deps", "--target", site, *folder.glob("*.whl")], check=True
    )
    return site


@pytest.fixture(scope="session")
def payments() -> Iterator[StripeApi]:
    """The payment service."""
    with StripeApi() as api, serving(api):
        yield api


@pytest.fixture(scope="session")
def partner() -> Iterator[Partner]:
    """The partner."""
    with Partner() as server, serving(server):
        yield server


@pytest.fixture(scope="session")
def mail_host() -> Iterator[MailHost]:
    """The mail server."""
    with MailHost() as host:
        yield host


@pytest.fixture(scope="session")
def shop(
    installed: Path,
    server: EmbeddedServer,
    payments: StripeApi,
    partner: Partner,
    mail_host: MailHost,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningShop]:
    """The shop and its jobs, in an empty folder."""
    folder = tmp_path_factory.mktemp("shop")
    database = f"sqlite:///{folder}/shop.db"
    if os.environ.get("TEST_DATABASE") == "postgresql":
        database = request.getfixturevalue("postgres").url
    with RunningShop(folder, installed, server.url, database, payments, partner, mail_host) as running:
        yield running
