"""What each address is asked for: with the other unit's keys, and with keys that nobody has."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.test import Client

from monitoring.models import (
    Alert,
    Change,
    DataFetch,
    Decision,
    DeliveredFile,
    FamilyTree,
)
from portfolio.models import CompanySearch, SubjectImport
from tests.visibility.marks import DUNS
from tests.visibility.routes import Route, all_routes
from tests.visibility.world import REFERENCE, World

# A number with a valid form that no company here has.
NO_DUNS, NO_REFERENCE = "317384925", "NO_SUCH_REG"
NO_KEY = uuid.UUID("11111111-1111-4111-8111-111111111111")
# Rows that are of no unit: any key will do.
SHARED = {
    *("auth.group", "axes.accessattempt", "axes.accesslog", "django_q.schedule", "monitoring.element"),
    *("monitoring.publication", "portfolio.contract", "portfolio.callbudget", "portfolio.entitlements"),
    *("portfolio.exchangerate", "portfolio.referencelist", "monitoring.responsetime", "monitoring.reviewsettings"),
}
# Of addresses outside of the lists of the admin, what stands for their parameters.
OF_API: Mapping[str, Any] = {
    "alerts": Alert,
    "changes": Change,
    "data-fetches": DataFetch,
    "decisions": Decision,
    "family-trees": FamilyTree,
    "files": DeliveredFile,
    "imports": SubjectImport,
    "company-searches": CompanySearch,
}
OTHERS: Mapping[str, str] = {
    "token": "a-token", "uidb64": "MQ", "verb": "run", "reason": "unchanged", "part": "live", "rest": "x",
    "path": "docs/use/alerts.md", "app_label": "monitoring", "content_type_id": "1", "form": "csv", "name": "default",
    "decision": "request",
}  # fmt: skip
# Their key is that of a registration, below the address of something else.
OF_REGISTRATIONS = re.compile(r"/portfolio/syncrun/(adopt|drift|start|suppress)/")
TOKENS = re.compile(r'(?:csrfmiddlewaretoken"? value=|nonce=|X-CSRFToken"?: ?)"[^"]*"')


@dataclass(frozen=True, slots=True)
class Address:
    """The same with the other unit's keys, and with nobody's."""

    route: Route
    path: str
    unknown: str


def addresses(world: World, *, below: str = "/", without: str = "\0") -> tuple[list[Address], list[str]]:
    """All that can be asked, and the routes whose parameters nothing here can fill."""
    found, unfilled = [], []
    for route in all_routes():
        if not route.path.startswith(below) or route.path.startswith(without):
            continue
        values = {name: _value(world, route, name) for name in route.parameters if name != "action"}
        if None in values.values():
            unfilled.append(route.path)
            continue
        for action in _actions(route):
            theirs = {name: value for name, (value, _) in values.items()}  # type: ignore[misc]
            nobodys = {name: value for name, (_, value) in values.items()}  # type: ignore[misc]
            filled = (route.filled({**some, "action": action}) for some in (theirs, nobodys))
            found.append(Address(route, *filled))
    return found, unfilled


def about(duns: str, *, below: str = "/", without: str = "\0") -> list[str]:
    """All that can be asked about one company."""
    named = [route for route in all_routes() if route.parameters == ("duns",)]
    named += [route for route in all_routes() if route.path == "/portfolio/company/{object_id}/change/"]
    paths = [route.filled(dict.fromkeys(route.parameters, duns)) for route in named]
    return [path for path in paths if path.startswith(below) and not path.startswith(without)]


def _actions(route: Route) -> list[str]:
    """Of the buttons on the page of a row, each."""
    if "action" not in route.parameters:
        return [""]
    return [*_admin_of(route).row_actions]


def _admin_of(route: Route) -> Any:
    app, model = route.path.strip("/").split("/")[:2]
    return admin.site.get_model_admin(apps.get_model(app, model))


def _value(world: World, route: Route, name: str) -> tuple[Any, Any] | None:
    """What the other unit has, and what nobody has."""
    if name == "duns":
        return DUNS, NO_DUNS
    if name == "reference":
        return REFERENCE, NO_REFERENCE
    if name in ("registration", "registration_id") or OF_REGISTRATIONS.match(route.path):
        return (OTHERS[name],) * 2 if name in OTHERS else (world.other.pk, NO_KEY)
    if name in ("object_id", "key", "id", "pk"):
        return _key(world, route)
    return (OTHERS[name], OTHERS[name]) if name in OTHERS else None


def _key(world: World, route: Route) -> tuple[Any, Any] | None:
    parts = route.path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        model = OF_API.get(parts[2])
        return (world.rows[model].pk, NO_KEY) if model else None
    if parts[0] == "r" or parts[:2] == ["health", "jobs"] or "/check/" in route.path:
        return ("pull", "none") if parts[0] != "portfolio" else (NO_KEY, NO_KEY)
    label = ".".join(parts[:2])
    if label in SHARED:
        return NO_KEY, NO_KEY
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        return None
    return (world.rows[model].pk, _nobodys(model)) if model in world.rows else None


def _nobodys(model: Any) -> Any:
    """Of the kind of the model's keys."""
    kind = model._meta.pk.get_internal_type()
    return NO_KEY if "UUID" in kind else NO_DUNS if model._meta.pk.name == "duns" else "317384925"


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = content.decode("utf-8", "replace")
    return f"{answer.status_code} {answer.headers.get('Location', '')}\n{text}"


def alike(answer: Any, address: Address) -> str:
    """An answer without what was asked, and without what is new in each."""
    text = TOKENS.sub("", text_of(answer))
    paths = (address.path, address.unknown)
    for asked in paths:
        text = text.replace(asked, "…")
    for asked in paths:
        for part in asked.strip("/").split("/"):
            text = text.replace(part, "…") if len(part) > 8 else text
    return re.sub(r"[0-9a-f]{32,}|[A-Za-z0-9_-]{40,}|\d+(?:\.\d+)? ?ms", "", text)


def got(client: Client, path: str) -> Any:
    """Without what the page before has left to be shown, which names what was asked there."""
    client.cookies.pop("messages", None)
    return client.get(path)
