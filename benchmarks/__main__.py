"""All that measures speed, one after the other; within 15 minutes on a quiet machine, without --large.

    make bench ARGS="--write"    # python -m benchmarks --write

Each runs alone too: python -m benchmarks.ingest. What plays failures takes its own time and has its own commands:
`benchmarks.kills`, `benchmarks.portfolio_kills`, `benchmarks.days`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.util import find_spec

from benchmarks.frame import ROOT, add_common, refuse_when_busy

MODULES = ("ingest", "sizes", "table_sizes", "delivered_files", "workers", "latency", "lists", "companies", "idle")
OF_LISTS = ("imports", "sync", "sending")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[*MODULES, *OF_LISTS], help="only this one; may be repeated")
    add_common(parser)
    options = parser.parse_args()
    refuse_when_busy(options.anyway)
    flags = [f"--{name}" for name in ("large", "tiny", "write") if getattr(options, name)]
    names = options.only or [name for name in (*MODULES, *OF_LISTS) if find_spec(f"benchmarks.{name}")]
    return max(run(name, flags) for name in names)


def run(name: str, flags: list[str]) -> int:
    # The load is the measurements' own by now.
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", "--anyway", *flags], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
