"""A row of every model that the admin shows."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.utils import timezone
from django_q.models import Failure

from core.models import Export
from dnbmon_site.accounts.models import User
from portfolio.models import Company, Contract, Registration
from tests.builders.companies import a_company
from tests.builders.contracts import a_contract
from tests.builders.deliveries import some_news
from tests.builders.registrations import a_registration


def a_row_of_each_model() -> dict[str, Any]:
    """Their keys by the names of the models: of D&B's news, of what needs no more than its fields, and a person's."""
    some_news()
    shown = sorted((model._meta.label_lower, model) for model in admin.site._registry if model is not User)
    found = {name: (model._default_manager.first() or an_instance(model)).pk for name, model in shown}
    return {**found, "accounts.user": User.objects.create_user("somebody").pk}


def an_instance(model: type[models.Model]) -> models.Model:
    """A row of any model, with something in each field that wants something."""
    known: dict[Any, Callable[[], models.Model]] = {
        Contract: a_contract,
        Registration: a_registration,
        Company: a_company,
    }
    if model in known:
        return known[model]()
    values = {field.attname: a_value(field) for field in model._meta.concrete_fields if wants_something(field)}
    if model is Export:
        values |= {"requested_by": "bob", "state": "finished"}
    if model is Failure:
        values["success"] = False
    return model._default_manager.create(**values)


def wants_something(field: models.Field[Any, Any]) -> bool:
    return not (field.has_default() or field.null or field.blank or isinstance(field, models.AutoField))


def a_value(field: models.Field[Any, Any]) -> Any:
    if field.related_model and isinstance(field.related_model, type):
        found = field.related_model._default_manager.first()
        return (found or an_instance(field.related_model)).pk
    if field.choices:
        return next(value for value, _ in field.flatchoices)
    kinds: tuple[tuple[Any, Any], ...] = (
        (models.UUIDField, uuid.uuid4()),
        (models.DateTimeField, timezone.now()),
        (models.DateField, timezone.now().date()),
        (models.TimeField, timezone.now().time()),
        (models.DurationField, timedelta(minutes=1)),
        (models.BooleanField, False),
        ((models.IntegerField, models.FloatField), 1),
    )
    text = uuid.uuid4().hex if field.primary_key else "x"
    return next((value for kind, value in kinds if isinstance(field, kind)), text)
