"""An actor module of the tests: kills the worker before a line of the shop's code that an argument names, once.

The argument of `reconcile` or `charge_user` that ends in ``-kill-17`` means: before the 17th line, counted over all
files of the shop that the actor runs through.
"""

import os
import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import shop.jobs  # from the wheel in whose environment this is run

SHOP = str(Path(shop.jobs.__file__).parent)
MARKS = Path(os.environ["KILLER_MARKS"])


def killed(function: Any) -> Any:
    """The function, which is killed as its arguments say."""

    def call(*args: Any, **kwargs: Any) -> Any:
        named = re.search(r"-kill-(\d+)", " ".join(map(str, [*args, *kwargs.values()])))
        if named and _is_first_time(named.string):
            sys.settrace(_tracer(int(named[1])))
        try:
            return function(*args, **kwargs)
        finally:
            sys.settrace(None)

    return call


def _is_first_time(arguments: str) -> bool:
    try:
        (MARKS / re.sub(r"\W", "_", arguments)).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _tracer(left: int) -> Any:
    def trace(frame: FrameType, happened: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(SHOP):
            return None
        if happened == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), 9)
        return trace

    return trace


for each in (shop.jobs.charge_user, shop.jobs.reconcile):
    each.fn = killed(each.fn)
