"""What the figures and words of a dossier mean, for readers who know neither D&B nor this program."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GUIDE: tuple[tuple[str | Promise, str | Promise], ...] = (
    (
        _("Failure score, delinquency score"),
        _(
            "D&B's forecasts that a company fails, or pays severely late, in the next 12 months. Percentile: 1 is the "
            "highest risk and 100 the lowest, among the companies of its country. Class: 1 is the lowest risk and 5 "
            "the highest."
        ),
    ),
    (
        _("D&B rating"),
        _(
            "Financial strength (5A is the largest) and, as its last digit, the risk from 1 (low) to 4 (high). "
            "Letters alone, such as “NQ”, mean that D&B rates no strength."
        ),
    ),
    (_("Payment index"), _("1 to 100. At 80, the company pays within terms; lower values mean later payment.")),
    (
        _("Baseline received"),
        _("D&B sent the complete data of the company for one of your registrations. Nothing changed at the company."),
    ),
    (
        _("Times"),
        _(
            "A change has the time that D&B states for it; its details state when it was received. Exposure, decisions "
            "and work on alerts have the time at which a user entered them here."
        ),
    ),
    (
        _("Minor"),
        _("Changes that D&B makes regularly without importance for the risk, such as the date of a score."),
    ),
)
