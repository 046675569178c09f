"""Indexes cost room and time with every notification: each names the page, list or job that needs it."""

import re
from pathlib import Path

import pytest

from tests.support import ROOT

GROWING = ("alerts", "changes", "deliveries", "notifications", "observations", "outbox", "publications", "scores")


@pytest.mark.parametrize("noun", GROWING)
def test_every_index_says_who_needs_it(noun: str) -> None:
    assert unexplained(ROOT / "monitoring" / "models" / f"{noun}.py") == []


def unexplained(path: Path) -> list[str]:
    """Lines with an index that no comment stands before."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    pairs = zip(lines, lines[1:], strict=False)
    return [line for before, line in pairs if re.search(r"Index\(", line) and not before.startswith("# ")]


def test_one_without_a_comment_is_found(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("# The list.\nmodels.Index(one)\nPartialIndex(two)\n")
    assert unexplained(tmp_path / "x.py") == ["PartialIndex(two)"]
