"""Tuples hold all columns of what they are inserted as."""

from typing import Any

import pytest

from monitoring.ingest.rows import ChangeRow, CompanyRow, NotificationRow
from monitoring.models import Change, Notification
from portfolio.models import Company


@pytest.mark.parametrize(
    ("row", "model"), [(CompanyRow, Company), (NotificationRow, Notification), (ChangeRow, Change)]
)
def test_a_row_has_the_columns_of_its_model_in_their_order(row: Any, model: Any) -> None:
    assert row._fields == tuple(field.attname for field in model._meta.concrete_fields)


@pytest.mark.parametrize(("row", "model"), [(CompanyRow, Company), (ChangeRow, Change)])
def test_what_is_not_said_is_as_the_model_has_it(row: Any, model: Any) -> None:
    empty = model()
    assert row._field_defaults == {name: getattr(empty, name) for name in row._field_defaults}
