"""Counts the companies for which the rules leave something open."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    found = [dict(report.user_properties).get("undecided") for report in reports]
    undecided = {name: codes for one in found if isinstance(one, dict) for name, codes in one.items()}
    if undecided:
        counts = Counter(f"{name.split()[-1]}: {code}" for name, codes in undecided.items() for code in codes)
        terminalreporter.write_line(f"Stories that the rules leave open in {len(found)} worlds: {len(undecided)}")
        for code, count in counts.most_common():
            terminalreporter.write_line(f"  {count} {code}")
