"""All that measures speed, one after the other; within 15 minutes on a quiet machine, without --large.

    make bench ARGS="--write"    # python -m benchmarks --write

Each runs alone too: python -m benchmarks.ingest. What plays failures takes its own time and has its own commands:
`benchmarks.kills`, `benchmarks.portfolio_kills`, `benchmarks.file_kills`, `benchmarks.days`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.frame import ROOT, add_common, refuse_when_busy

MODULES = (
    *("ingest", "sizes", "delivered_files", "workers", "lists", "unit_lists", "companies", "figures", "portfolio_page"),
    *("imports", "exposure", "sync", "sending"),
)
# They have options of their own.
OTHERS = ("table_sizes", "latency", "idle")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    options = parser.parse_args()
    refuse_when_busy(options.anyway)
    # The load is the measurements' own by now.
    flags = ["--anyway", *(f"--{name}" for name in ("large", "tiny", "write") if getattr(options, name))]
    return max([*(run(name, *flags) for name in MODULES), *map(run, OTHERS)])


def run(name: str, *flags: str) -> int:
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *flags], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
