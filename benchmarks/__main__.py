"""Runs the benchmarks: python -m benchmarks [--only drain] [--peers huey,bullmq] [--rounds 3] [--quick]."""

import argparse
import sys
import traceback

from . import (
    backlog,
    concurrency,
    contestants,
    delayed,
    drain,
    enqueue,
    idle,
    intake,
    latency,
    memory,
    mixed,
    recovery,
    server,
    ticks,
)
from .report import write, write_readme

QUESTIONS = {
    "drain": drain,
    "latency": latency,
    "enqueue": enqueue,
    "intake": intake,
    "recovery": recovery,
    "delayed": delayed,
    "backlog": backlog,
    "mixed": mixed,
    "idle": idle,
    "memory": memory,
    "server": server,
    "ticks": ticks,
    "concurrency": concurrency,
}


def main() -> None:
    """Ask the chosen questions one after the other and write down the answers."""
    options = _options()
    if options.peers is not None:
        contestants.chosen[:] = [name for name in options.peers.split(",") if name]
    how = " ".join(["python -m benchmarks", *sys.argv[1:]])
    sections, failed = [], []
    for name in options.only or QUESTIONS:
        print(f"{name} ...", flush=True)
        try:
            found = QUESTIONS[name].measure(options.rounds or (1 if options.quick else 3), options.quick)
        except Exception:  # noqa: BLE001 - hours of other answers are not to be lost with this one
            traceback.print_exc()
            failed.append(name)
            continue
        print("\n".join(["", *(section.markdown() for section in found)]), flush=True)
        if options.write_readme:
            write_readme(name, found, how)
        sections += found
    print(f"written to {write(sections, how)}")
    if failed:
        sys.exit(f"not answered: {', '.join(failed)}; see above")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compares worker-service with what people choose today."
    )
    parser.add_argument(
        "--only", action="append", choices=QUESTIONS, help="ask this question; may be repeated"
    )
    names = ", ".join(contestants.PEERS_OF_OURS)
    parser.add_argument("--peers", help=f"only these, between commas; '' for none ({names})")
    parser.add_argument(
        "--rounds", type=int, help="how often each contestant runs (default 3, with --quick 1)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer jobs: minutes become seconds, numbers rougher"
    )
    parser.add_argument(
        "--write-readme", action="store_true", help="put tables and charts into benchmarks/README.md"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
