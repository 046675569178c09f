"""A made-up portfolio in place of the stored one."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from monitoring.portfolio_page import worlds
from tests.builders.portfolios import Portfolio, a_portfolio


@pytest.fixture
def portfolio(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Portfolio]:
    """Always the same for a number."""

    def install(seed: int) -> Portfolio:
        found = a_portfolio(Random(seed))
        monkeypatch.setattr(worlds, "figures_at", found.figures_at)
        monkeypatch.setattr(worlds, "exposures_at", found.exposures_at)
        return found

    return install
