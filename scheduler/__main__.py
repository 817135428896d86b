"""The scheduler's front door: ``python -m scheduler`` runs until SIGTERM or SIGINT, and ends with 0.

``python -m scheduler --list`` prints the next ticks of what this code declares, and ends.
"""

import argparse
import gc
import signal
import sys
from types import FrameType
from typing import NoReturn

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Start, and stay until told to end."""
    given = argparse.ArgumentParser(prog="python -m scheduler", description="Fire what is scheduled.")
    given.add_argument(
        "--list", action="store_true", help="print the next five ticks of each declared schedule"
    )
    only_list = given.parse_args().list
    for number in STOP_SIGNALS:
        signal.signal(number, _leave)
    from worker_service.logs import configure_logs

    configure_logs()
    # Only now, with the signals in hand: importing all this takes a good part of a second.
    from worker_service.broken_modules import ActorModuleFailed
    from worker_service.jobs.errors import InvalidJob, InvalidSchedule, StoreTooNew
    from worker_service.settings import WrongSettings

    from .listing import print_next
    from .service import run

    try:
        print_next() if only_list else run()
    except WrongSettings as error:
        sys.exit(f"The settings are wrong.\n{error}")
    except ActorModuleFailed as error:
        sys.exit(str(error))
    except InvalidSchedule as error:
        sys.exit(f"A schedule is declared wrongly.\n{error}")
    except InvalidJob as error:
        sys.exit(f"An actor is declared wrongly.\n{error}")
    except StoreTooNew as error:
        sys.exit(f"The scheduler cannot start: {error}")
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        gc.freeze()  # else the interpreter looks through all that was imported, on its way out: a third of a second


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """Wherever the main thread is, it ends; nothing it does can be left half done."""
    raise SystemExit(0)


if __name__ == "__main__":
    main()
