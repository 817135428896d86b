"""Runs the benchmarks: python -m benchmarks [--only drain] [--rounds 3] [--quick] [--write-readme]."""

import argparse
import sys

from . import delayed, drain, enqueue, idle, intake, latency, ticks
from .report import write, write_readme

QUESTIONS = {
    "drain": drain,
    "latency": latency,
    "idle": idle,
    "delayed": delayed,
    "enqueue": enqueue,
    "ticks": ticks,
    "intake": intake,
}


def main() -> None:
    """Ask the chosen questions one after the other and write down the answers."""
    options = _options()
    sections = []
    for name in options.only or QUESTIONS:
        print(f"{name} ...", flush=True)
        sections.append(QUESTIONS[name].measure(options.rounds or (2 if options.quick else 5), options.quick))
        print(f"\n{sections[-1].markdown()}", flush=True)
    how = " ".join(["python -m benchmarks", *sys.argv[1:]])
    print(f"written to {write(sections, how)}")
    if options.write_readme:
        write_readme(sections, how)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compares worker-service with stock Dramatiq."
    )
    parser.add_argument(
        "--only", action="append", choices=QUESTIONS, help="ask this question; may be repeated"
    )
    parser.add_argument(
        "--rounds", type=int, help="how often each contestant runs (default 5, with --quick 2)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer jobs: minutes become seconds, numbers rougher"
    )
    parser.add_argument(
        "--write-readme", action="store_true", help="put the tables into benchmarks/README.md"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
