"""Own code comes first."""

from worker_service.dashboard.tracebacks import own_frames

TRACEBACK = """Traceback (most recent call last):
  File "/app/.venv/lib/python3.11/site-packages/dramatiq/worker.py", line 1, in process_message
    res = self.call()
  File "/app/worker_service/broker/page.py", line 5, in run
    go()
  File "/app/my/tasks.py", line 7, in charge
    pay(order)
    ~~~^^^^^^^
  File "/app/my/bank.py", line 9, in pay
    json.loads(text)
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
ValueError: no
"""


def test_frames_of_own_code_are_told_the_innermost_first():
    found = own_frames(TRACEBACK)
    assert [(frame.function, frame.line, frame.code) for frame in found] == [
        ("pay", 9, "json.loads(text)"),
        ("charge", 7, "pay(order)"),
    ]


def test_built_in_actors_are_own_code():
    text = '  File "/app/worker_service/tasks/download.py", line 3, in fetch\n    go()\n'
    assert [frame.function for frame in own_frames(text)] == ["fetch"]


def test_no_traceback_has_none():
    assert own_frames("") == []
    assert own_frames('  File "/app/x.py", line 3, in f')[0].code == ""
