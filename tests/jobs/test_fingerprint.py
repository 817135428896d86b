"""Which failures are the same one."""

import json
import sysconfig

import pytest

from worker_service.jobs.fingerprint import (
    Frame,
    fingerprint_of_error,
    fingerprint_of_reason,
    frames_of,
    own_frame,
)

WORKER = Frame("dramatiq.worker", "/app/.venv/lib/python3.12/site-packages/dramatiq/worker.py", "process")
SERVICE = Frame("worker_service.broker.process", "/src/worker_service/broker/process.py", "guarded")
ACTOR = Frame("my.tasks", "/app/my/tasks.py", "charge")
HELPER = Frame("my.bank", "/app/my/bank.py", "Bank.pay")
LIBRARY = Frame("httpx2", "/app/.venv/lib/python3.12/site-packages/httpx2/client.py", "send")
STANDARD = Frame("json.decoder", f"{sysconfig.get_path('stdlib')}/json/decoder.py", "decode")
FROZEN = Frame("importlib._bootstrap", "<frozen importlib._bootstrap>", "_gcd_import")


@pytest.mark.parametrize(
    ("frames", "own"),
    [
        ([WORKER, SERVICE, ACTOR], "my.tasks:charge"),
        ([WORKER, SERVICE, ACTOR, HELPER], "my.bank:Bank.pay"),
        ([WORKER, SERVICE, ACTOR, HELPER, LIBRARY, STANDARD, FROZEN], "my.bank:Bank.pay"),
        ([WORKER, SERVICE, ACTOR, SERVICE], "my.tasks:charge"),
        ([WORKER, SERVICE, ACTOR, LIBRARY, HELPER], "my.bank:Bank.pay"),  # called back
        ([WORKER, SERVICE], ""),
        ([], ""),
    ],
)
def test_place_is_the_innermost_frame_of_no_library(frames: list[Frame], own: str):
    assert own_frame(frames) == own


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])
def test_actors_that_are_installed_as_a_package_are_still_the_team_s_own(folder: str):
    installed = Frame("shop.tasks", f"/usr/lib/python3/{folder}/shop/tasks.py", "charge")
    inner = Frame("shop.bank", f"/usr/lib/python3/{folder}/shop/bank.py", "pay")
    assert own_frame([WORKER, SERVICE, installed, inner, LIBRARY]) == "shop.bank:pay"


def test_built_in_actors_are_no_machinery():
    front = Frame("worker_service.actors", "/x/site-packages/worker_service/actors.py", "send_email")
    task = Frame("worker_service.tasks.send_email", "/x/site-packages/worker_service/tasks/s.py", "send")
    assert own_frame([WORKER, SERVICE, front, task, STANDARD]) == "worker_service.tasks.send_email:send"


@pytest.mark.parametrize("module", ["", "__main__"])
def test_code_of_no_module_is_known_by_its_file(module: str):
    assert own_frame([Frame(module, "/home/ann/jobs.py", "run")]) == "jobs.py:run"


def test_frames_are_those_of_the_traceback():
    def fail() -> None:
        json.loads("{")

    with pytest.raises(ValueError, match="Expecting") as raised:
        fail()

    frames = frames_of(raised.value)
    assert frames[0].function.startswith("test_frames_are")
    assert frames[-1].module == "json.decoder"
    name = test_frames_are_those_of_the_traceback.__name__
    assert own_frame(frames) == f"{__name__}:{name}.<locals>.fail"


def test_error_without_a_traceback_has_no_frame():
    assert frames_of(ValueError()) == []


def test_fingerprint_is_the_same_for_the_same_and_another_for_another():
    same = {fingerprint_of_error("charge", "ValueError", "my.bank:pay") for _ in range(2)}
    others = {
        fingerprint_of_error("refund", "ValueError", "my.bank:pay"),
        fingerprint_of_error("charge", "KeyError", "my.bank:pay"),
        fingerprint_of_error("charge", "ValueError", "my.tasks:charge"),
        fingerprint_of_reason("charge", "worker_lost"),
        fingerprint_of_reason("charge", "time_limit_hard"),
        fingerprint_of_reason("refund", "worker_lost"),
    }
    assert len(same) == 1
    assert len(same | others) == 7
    assert {len(each) for each in same | others} == {16}
