"""The API's description (OpenAPI) as a page reads it: groups of operations, each with its fields in rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator

from core.api.scopes import READ

DEEPEST = 4
FINE = range(200, 300)
# Operations that can add companies which D&B bills, or make calls that D&B bills.
BILLED = (
    *("request_subjects", "confirm_import", "search_company", "find_import_candidates"),
    *("request_data_fetch", "resume_data_fetch", "fetch_reference_data"),
    *("request_family_trees", "resume_family_tree"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter or a field."""

    name: str
    type: str
    is_required: bool
    text: SafeString
    depth: int = 0
    # How a form asks for it.
    choices: Sequence[str] = ()
    default: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    title: str
    rows: Sequence[Row] = ()
    example: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    key: str
    method: str
    path: str
    summary: str
    text: SafeString
    scope: str
    parameters: Sequence[Row]
    body: Sequence[Row]
    body_example: str
    answers: Sequence[Answer]
    problems: Sequence[Answer]

    @property
    def only_reads(self) -> bool:
        """Also by POST, where a list is too long for an address."""
        return self.method == "GET" or self.scope == READ

    @property
    def may_be_billed(self) -> bool:
        return self.key in BILLED


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    text: str
    operations: list[Operation] = field(default_factory=list)


def reference() -> tuple[Group, ...]:
    return _reference(get_language() or "")


@lru_cache(maxsize=8)
def _reference(language: str) -> tuple[Group, ...]:
    """Once for each language: it takes a second, and changes with the code only."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    components = found["components"]["schemas"]
    groups = {tag["name"]: Group(tag["name"], tag["description"]) for tag in found.get("tags", ())}
    for path, methods in found["paths"].items():
        for method, described in methods.items():
            tag = described["tags"][0]
            groups.setdefault(tag, Group(tag, "")).operations.append(_operation(path, method, described, components))
    return tuple(group for group in groups.values() if group.operations)


def _operation(path: str, method: str, described: Mapping[str, Any], components: Mapping[str, Any]) -> Operation:
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    responses = described["responses"].items()
    answers = [_answer(status, one, components) for status, one in responses]
    return Operation(
        key=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described["summary"],
        text=_html(described["description"]),
        scope=next((names[0] for way in described["security"] if (names := way.get("key"))), ""),
        parameters=[_parameter(one, components) for one in described.get("parameters", ())],
        body=list(_rows(content.get("schema", {}), components, place="body")),
        body_example=_example(content),
        answers=[one for one in answers if one.status.isdigit() and int(one.status) in FINE],
        problems=[one for one in answers if one.status.isdigit() and int(one.status) not in FINE],
    )


def _parameter(described: Mapping[str, Any], components: Mapping[str, Any]) -> Row:
    schema, _ = _resolved(described["schema"], components)
    choices = [str(one) for one in schema.get("enum", ()) if one is not None]
    return Row(
        name=described["name"],
        type=_type(described["schema"], components),
        is_required=bool(described.get("required")),
        text=_html(described.get("description", "")),
        choices=choices,
        default=str(schema.get("default", "")),
        place=described["in"],
    )


def _answer(status: str, described: Mapping[str, Any], components: Mapping[str, Any]) -> Answer:
    content: dict[str, Any] = next(iter(described.get("content", {}).values()), {})
    if not status.isdigit() or int(status) not in FINE:
        return Answer(status, described["description"])
    return Answer(
        status, described["description"], list(_rows(content.get("schema", {}), components)), _example(content)
    )


def _example(content: Mapping[str, Any]) -> str:
    values = [one["value"] for one in content.get("examples", {}).values()]
    return json.dumps(values[0], indent=2, ensure_ascii=False) if values else ""


def _rows(schema: Mapping[str, Any], components: Mapping[str, Any], depth: int = 0, place: str = "") -> Iterator[Row]:
    """The fields of an object, each followed by its own fields. Only those of a request are marked as required."""
    whole, _ = _resolved(schema, components)
    required = whole.get("required", ())
    for name, one in whole.get("properties", {}).items() if depth < DEEPEST else ():
        inner, _ = _resolved(one, components)
        text = _html(one.get("description") or inner.get("description", ""))
        yield Row(name, _type(one, components), name in required, text, depth, place=place)
        yield from _rows(inner.get("items", inner), components, depth + 1, place)


def _resolved(schema: Mapping[str, Any], components: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """What a reference stands for, and whether null may stand in its place."""
    several = [one for one in schema.get("oneOf", schema.get("allOf", ())) if "NullEnum" not in one.get("$ref", "")]
    kinds = schema.get("type")
    nullable = isinstance(kinds, list) and "null" in kinds or any(one.get("type") == "null" for one in several)
    if several:
        schema = next((one for one in several if one.get("type") != "null"), schema)
    if name := schema.get("$ref", "").rpartition("/")[2]:
        schema = components[name]
    return schema, nullable


def _type(schema: Mapping[str, Any], components: Mapping[str, Any]) -> str:
    found, nullable = _resolved(schema, components)
    kinds = found.get("type", "any JSON value")
    kind = next((one for one in kinds if one != "null"), "") if isinstance(kinds, list) else kinds
    if kind == "array":
        kind = f"list of {_type(found.get('items', {}), components)}"
    return f"{found.get('format', kind)} or null" if nullable else str(found.get("format", kind))


def _html(text: str) -> SafeString:
    """The texts are the code's own, and HTML in them stays text."""
    from markdown_it import MarkdownIt

    return SafeString(MarkdownIt("commonmark", {"html": False}).render(text))
