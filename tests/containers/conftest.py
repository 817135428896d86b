"""The image, built once, and a deployment of it that the tests mistreat."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.containers.deployment import Deployment
from tests.containers.podman import BASE, built, make_base, missing_tools, pip_arguments
from tests.process import sink
from worker_service.embedded import bundled_server

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder share one deployment."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker("containers")
            item.add_marker(pytest.mark.xdist_group("containers"))


@pytest.fixture(scope="session")
def name() -> str:
    """Begins the names of all that this run makes."""
    missing = missing_tools()
    if missing or os.geteuid() != 0:
        why = f"these are missing: {', '.join(missing)}" if missing else "only root may"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no containers: {why}")
    return f"worker-service-test-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def image(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image of the Dockerfile."""
    make_base()
    pip = pip_arguments(tmp_path_factory.mktemp("pip"))
    with built(f"localhost/{name}:1", ROOT, "--build-arg", f"BASE_IMAGE={BASE}", *pip) as tag:
        yield tag


@pytest.fixture(scope="session")
def bank(name: str, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two versions of an image with actors of its own, as the Dockerfile says how to make one."""
    with ExitStack() as stack:

        def bank_of_version(number: int) -> str:
            folder = tmp_path_factory.mktemp("bank")
            shutil.copy(HERE / "bank.py", folder)
            shutil.copy(sink.__file__, folder)
            (folder / "Dockerfile").write_text(
                f"FROM {image}\n"
                "COPY bank.py sink.py ./\n"
                f"ENV JOBS_ACTOR_MODULES=bank JOBS_CODE_VERSION={number}\n"
            )
            return stack.enter_context(built(f"localhost/{name}-bank:{number}", folder))

        yield bank_of_version(1), bank_of_version(2)


@pytest.fixture(scope="session")
def server_image(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Valkey in an image, as there is no registry to get one from."""
    folder = tmp_path_factory.mktemp("server")
    binary = bundled_server()
    assert binary is not None
    shutil.copy(binary, folder / "valkey-server")
    (folder / "Dockerfile").write_text(
        f"FROM {BASE}\n"
        "RUN useradd --uid 999 --user-group valkey && install --directory --owner valkey --group valkey /data\n"
        "COPY valkey-server /usr/local/bin/\n"
    )
    make_base()
    with built(f"localhost/{name}-valkey:1", folder) as tag:
        yield tag


@pytest.fixture(scope="module")
def deployment(
    name: str, bank: tuple[str, str], server_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A server, two web processes, two workers, two schedulers, and a bank outside that writes down every charge."""
    with closing(Deployment(name, server_image, tmp_path_factory.mktemp("deployment"))) as made:
        made.start(bank[0])
        yield made
