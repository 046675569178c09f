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


Join = dict[str, Any]
JOINS: list[tuple[Join, dict[int, list[int]]]] = [
    # What does not depend on the document is the same for each.
    ({"pipeline": [{"$match": {"of": {"$lte": 1}}}]}, dict.fromkeys(range(20), [100, 101, 102, 103])),
    ({"localField": "_id", "foreignField": "of", "pipeline": []}, {i: [100 + 2 * i, 101 + 2 * i] for i in range(20)}),
    (
        {"let": {"mine": "$_id"}, "pipeline": [{"$match": {"$expr": {"$eq": ["$of", "$$mine"]}}}]},
        {i: [100 + 2 * i, 101 + 2 * i] for i in range(20)},
    ),
]


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("number", [1, 20])
@pytest.mark.parametrize(("join", "expected"), JOINS)
def test_joins_of_few_and_many(number: int, indexed: bool, join: Join, expected: dict[int, list[int]]) -> None:
    left, right = (cast(Any, connection).database[name] for name in ("left", "right"))
    left.insert_many([{"_id": i} for i in range(number)])
    right.insert_many([{"_id": 100 + i, "of": i // 2} for i in range(40)])
    if indexed:
        right.create_index("of")
    lookup = {"$lookup": {"from": "right", "as": "there", **join}}
    found = {one["_id"]: [other["_id"] for other in one["there"]] for one in left.aggregate([lookup])}
    left.drop()
    right.drop()
    assert found == {i: expected[i] for i in range(number)}


def test_joined_documents_are_each_ones_own() -> None:
    """Changing what one document got leaves the others' alone."""
    collection = cast(Any, connection).database["own"]
    collection.insert_many([{"_id": i, "n": i} for i in range(3)])
    first = {"$lookup": {"from": "own", "as": "sub.all", "pipeline": [{"$match": {"_id": 0}}]}}
    stages = [first, {"$unwind": "$sub.all"}, {"$addFields": {"sub.all.n": "$_id"}}]
    found = [one["sub"]["all"]["n"] for one in collection.aggregate(stages)]
    collection.drop()
    assert found == [0, 1, 2]
