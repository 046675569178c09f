"""The admin's pages of this app, each beside what it shows."""

from portfolio.billing.admin import contracts
from portfolio.call_budgets.admin import budgets, calls
from portfolio.company_search.admin import searches
from portfolio.entitlements import admin as entitlements
from portfolio.exposure.admin import imports as exposure_imports
from portfolio.exposure.admin import rates
from portfolio.imports.admin import imports
from portfolio.proposals import admin as proposals
from portfolio.reference_data import admin as reference_data
from portfolio.subjects import admin as subjects
from portfolio.sync.admin import sync_runs

__all__ = [
    "budgets",
    "calls",
    "contracts",
    "entitlements",
    "exposure_imports",
    "imports",
    "proposals",
    "rates",
    "searches",
    "reference_data",
    "subjects",
    "sync_runs",
]
