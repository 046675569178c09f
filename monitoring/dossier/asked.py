"""What a dossier is asked for: a company, a span of days, and who reads it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from django.db.models import Model, QuerySet

from monitoring.dossier.reader import Part, Reader
from monitoring.dossier.span import Span
from portfolio.models import Company, Registration

M = TypeVar("M", bound=Model)


@dataclass
class Asked:
    company: Company
    span: Span
    reader: Reader

    @property
    def duns(self) -> str:
        return self.company.duns

    def rows(self, model: type[M]) -> QuerySet[M]:
        return self.reader.rows(model)

    def sees(self, part: Part) -> bool:
        return self.reader.sees(part)

    @cached_property
    def references(self) -> dict[uuid.UUID, str]:
        """Of the registrations that the reader may see: there are few."""
        return dict(self.rows(Registration).values_list("pk", "reference"))
