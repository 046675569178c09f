"""The stand-in for MongoDB answers as MongoDB does, where it was put right."""

from datetime import datetime
from typing import Any, cast

import pytest
from django.conf import settings
from django.db import connection

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not settings.MONGODB, reason="about MongoDB's stand-in only"),
]


def answer(*stages: dict[str, Any]) -> list[dict[str, Any]]:
    """The pipeline's answer over one document."""
    collection = cast(Any, connection).database["mended"]
    collection.replace_one({"_id": 1}, {"_id": 1, "sub": {"a": 5, "b": 2}, "at": datetime(2020, 1, 1)}, upsert=True)
    return list(collection.aggregate(list(stages)))


def test_nested_project_includes() -> None:
    assert answer({"$project": {"sub": {"a": 1}}}) == [{"_id": 1, "sub": {"a": 5}}]


def test_nested_add_fields_merges() -> None:
    added = answer({"$addFields": {"sub": {"c": "$_id"}}}, {"$project": {"sub": 1}})
    assert added == [{"_id": 1, "sub": {"a": 5, "b": 2, "c": 1}}]


MISSING = ["$nothing", "$sub.nothing", "$$ROOT.nothing", "$$CURRENT.sub.nothing", {"$getField": "nothing"}]


@pytest.mark.parametrize("expression", MISSING)
def test_type_of_what_is_missing(expression: Any) -> None:
    assert answer({"$project": {"type": {"$type": expression}}}) == [{"_id": 1, "type": "missing"}]


@pytest.mark.parametrize(("operator", "found"), [("$lt", 1), ("$gt", 0)])
def test_now_compares_with_stored_dates(operator: str, found: int) -> None:
    assert len(answer({"$match": {"$expr": {operator: ["$at", "$$NOW"]}}})) == found
