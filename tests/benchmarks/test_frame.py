"""The frame of the benchmarks: a busy machine, and the tables of the document."""

from pathlib import Path

import pytest

from benchmarks import frame, report
from benchmarks.__main__ import MODULES, OTHERS
from tests.support import ROOT

PAGE = "Before.\n\n<!-- ingest: begin -->\nold\n<!-- ingest: end -->\n\nAfter.\n"
RUN_APART = {"kills", "portfolio_kills", "file_kills", "days"}
HELPERS = {"__init__", "__main__", "frame", "report", "floor", "stream", "filling"}


def test_a_busy_machine_is_refused_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (1.5, 1.0, 1.0))
    frame.refuse_when_busy(anyway=True)
    with pytest.raises(SystemExit, match="load 1.5"):
        frame.refuse_when_busy(anyway=False)


def test_a_quiet_machine_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (0.9, 1.0, 1.0))
    frame.refuse_when_busy(anyway=False)


def test_only_the_block_of_the_measurement_is_renewed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(PAGE)
    monkeypatch.setattr(report, "PAGE", page)
    found = report.Report("ingest")
    found.table("SQLite", ("", "ratio"), [["first", "0.40"]])
    found.end(write=True)
    before, _, rest = page.read_text().partition("<!-- ingest: begin -->")
    block, _, after = rest.partition("<!-- ingest: end -->")
    assert (before, after) == ("Before.\n\n", "\n\nAfter.\n")
    assert "| first | 0.40 |" in block
    assert "old" not in block
    assert "load" in block


def test_targets_say_whether_they_are_met() -> None:
    assert frame.target(0.4, least=0.4) == "≥ 0.4: met"
    assert frame.target(41, most=40, unit=" ms") == "≤ 40 ms: not met"


def test_the_spread_is_the_median_between_the_extremes() -> None:
    assert frame.spread([3, 1, 2]) == "2.00 (1.00 to 3.00)"
    assert frame.spread([0.5]) == "0.50"


def test_every_measurement_is_run_by_the_one_command() -> None:
    names = {path.stem for path in (ROOT / "benchmarks").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert names - {*MODULES, *OTHERS} - RUN_APART - HELPERS - {"__pycache__"} == set()
