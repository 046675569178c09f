"""Dossiers, read by those who may see all parts."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from core import visibility
from monitoring.dossier.dossier import Dossier, dossier_of
from monitoring.dossier.lines import Line, Topic
from monitoring.dossier.reader import Part, Reader
from monitoring.dossier.span import Span
from portfolio.models import Company
from tests.builders.companies import DUNS

EVERYTHING = Reader(visibility.EVERYTHING, frozenset(Part))


def a_span(first: date | None = None, last: date | None = None) -> Span:
    """All that tests bring, unless told otherwise."""
    return Span(first or date(2025, 1, 1), last or timezone.localdate() + timedelta(days=1))


def a_dossier(span: Span | None = None, reader: Reader = EVERYTHING, duns: str = DUNS) -> Dossier:
    return dossier_of(Company.objects.get(pk=duns), span or a_span(), reader)


def lines_about(topic: Topic, **asked: Any) -> list[Line]:
    return [line for line in a_dossier(**asked).lines if line.topic == topic]


def texts(topic: Topic, **asked: Any) -> list[str]:
    return [line.text for line in lines_about(topic, **asked)]
