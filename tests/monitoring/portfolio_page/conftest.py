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
        monkeypatch.setattr(worlds, "figures_on", found.figures_on)
        monkeypatch.setattr(worlds, "exposures_on", found.exposures_on)
        return found

    return install
