"""Counts the companies for which the rules leave something open."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    companies = [found for report in reports for name, found in report.user_properties if name == "undecided"]
    counts = Counter(
        f"{name.split()[-1]}: {code}" for one in companies for name, codes in one.items() for code in codes
    )
    if companies:
        left_open = sum(map(bool, companies))
        terminalreporter.write_line(f"Stories: {len(companies)} companies, {left_open} of them left open by the rules")
        for code, count in counts.most_common():
            terminalreporter.write_line(f"  {count} {code}")
