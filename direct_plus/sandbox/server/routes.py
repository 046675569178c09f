"""Which path is which call."""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from direct_plus.sandbox.api import (
    company_search,
    data_blocks,
    entitlements,
    family_tree,
    notifications,
    reference_data,
    registrations,
    subjects,
    tokens,
)
from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state.world import World

Handler = Callable[[World, Call], Answer]
LIST = "/v1/monitoring/registrations"
ONE = LIST + "/(?P<reference>[^/]+)"
SINGLE = ONE + "/(?:subjects|duns)/(?P<duns>[^/]+)"


class Route(NamedTuple):
    method: str
    path: re.Pattern[str]
    kind: str
    handler: Handler


def _route(method: str, path: str, kind: str, handler: Handler) -> Route:
    return Route(method, re.compile(path), kind, handler)


ROUTES = (
    _route("GET", ONE + "/notifications", "pull", notifications.pull),
    _route("GET", ONE + "/notifications/replay", "replay", notifications.replay),
    _route("POST", "/v2/token", "token", tokens.issue_v2),
    _route("POST", "/v3/token", "token", tokens.issue_v3),
    _route("GET", LIST, "list", registrations.listing),
    _route("GET", LIST + "/export/(?P<reference>[^/]+)/(?:subjects|duns)", "export", registrations.export),
    _route("GET", ONE, "details", registrations.details),
    _route("POST", ONE + "/suppress", "suppress", registrations.suppress),
    _route("DELETE", ONE + "/suppress", "activate", registrations.activate),
    # PATCH /duns/add and /duns/remove stand before the single paths, whose number they would be
    _route("PATCH", ONE + "/duns/add", "batch", subjects.add_many_old),
    _route("PATCH", ONE + "/duns/remove", "batch", subjects.remove_many_old),
    _route("PATCH", ONE + "/subjects", "batch", subjects.change_many),
    _route("DELETE", ONE + "/subjects", "batch", subjects.bare_delete),
    _route("POST", SINGLE, "subject", subjects.add_one),
    _route("DELETE", SINGLE, "subject", subjects.remove_one),
    _route("GET", SINGLE, "subject", subjects.check_one),
    _route("GET", "/v1/entitlements", "entitlements", entitlements.entitlements),
    _route("GET", "/v1/data/refreshCheck/(?P<duns>[^/]+)", "refresh", data_blocks.refresh_check),
    _route("GET", "/v1/data/duns/(?P<duns>[^/]+)", "data", data_blocks.blocks),
    _route("GET", "/v1/familyTree/(?P<duns>[^/]+)", "tree", family_tree.full_tree),
    _route("GET", "/v1/familyTreeUpward/(?P<duns>[^/]+)", "tree", family_tree.upward_tree),
    _route("GET", "/v1/match/cleanseMatch", "match", company_search.cleanse_match),
    _route("GET", "/v1/search/typeahead", "typeahead", company_search.typeahead),
    _route("GET", "/v1/referenceData/categories", "reference", reference_data.categories),
    _route("GET", "/v1/referenceData/category/[^/]+", "reference", reference_data.codes),
)


def find(call: Call) -> Handler:
    """The call's handler; notes on the call what it is and what it is about."""
    for route in ROUTES:
        match = route.path.fullmatch(call.path)
        if match and route.method == call.method:
            parts = {name: unquote(text) for name, text in match.groupdict().items()}
            call.kind, call.reference, call.duns = route.kind, parts.get("reference"), parts.get("duns")
            return route.handler
    return _nowhere


def _nowhere(world: World, call: Call) -> Answer:
    raise call.refusal(404, "00037")
