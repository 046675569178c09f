"""Switches: where the contract leaves a point open, a switch says which reading the sandbox plays."""

from dataclasses import dataclass
from typing import Any

from direct_plus.sandbox.state.store import Store


@dataclass(frozen=True)
class Switch:
    default: Any
    allowed: tuple[Any, ...]
    about: str

    def takes(self, value: Any) -> bool:
        """A listed value, or anything of a listed type (a whole number passes for a real one)."""
        kinds = tuple(kind for kind in self.allowed if isinstance(kind, type))
        if isinstance(value, bool):
            return bool in kinds
        return value in self.allowed or isinstance(value, kinds)


NUMBER = (int, float)
EMPTY = ("404", "empty_list", "no_list")

SWITCHES: dict[str, Switch] = {
    # section 1
    "token_seconds": Switch(86_400, NUMBER, "how long a token lasts, by the sandbox's clock"),
    "unknown_token_code": Switch("00041", (str,), "code of the 401 for a token that was never issued"),
    # section 2
    "suppress_answer": Switch("200", ("200", "202", "204"), "answer to suppress and activate; 204 has no body"),
    "export_delay_seconds": Switch(
        5, NUMBER, "time until the exported list is in the out folder, by the sandbox's clock"
    ),
    "details_extra": Switch({}, (dict,), "members added to every registration's details"),
    # section 3
    "empty_pull": Switch("404", EMPTY, "a pull with nothing waiting"),
    "replay_end": Switch("404", EMPTY, "a replay past the end"),
    "empty_code": Switch("10001", (str, None), "errorCode of those 404s; none leaves it out"),
    "unknown_reference": Switch("00038", (str,), "errorCode for an unknown reference, or as_empty"),
    "replay_start": Switch("exclusive", ("exclusive", "inclusive"), "whether the start itself is included"),
    "replay_too_old": Switch("clip", ("clip", "refuse"), "a start more than 14 days ago: return what is left, or 400"),
    "replay_lag_seconds": Switch(0, NUMBER, "time after its pull at which an item appears in replay"),
    "item_stamp": Switch(
        "present", ("present", "absent", "absent_on_pull", "some"), "whether items carry deliveryTimeStamp"
    ),
    "stamps": Switch(
        "answer", ("answer", "item", int), "one stamp per response, per item, or per N items across responses"
    ),
    "stamp_share_ms": Switch(2_000, NUMBER, "how old a stamp may be to be shared by a later response"),
    "stamp_ahead_ms": Switch(350, NUMBER, "how far stamps may run ahead of the clock to stay different"),
    "dequeue": Switch(
        "start", ("start", "end", "late"), "when a pull dequeues its items; late: after the client disconnected"
    ),
    "late_seconds": Switch(2, NUMBER, "time after the disconnect at which `dequeue` = late dequeues its items"),
    "overlap": Switch("separate", ("separate", "share"), "whether simultaneous pulls share items"),
    # section 4
    "unknown_duns": Switch(
        "accept", ("accept", "refuse", "some"), "an unknown D-U-N-S number exists, is 10001, or 4% have a problem"
    ),
    "seed_on_add": Switch(True, (bool,), "whether adding a company emits its SEED"),
    "already_listed": Switch("error", ("error", "information"), "how 21012 and 21005 are returned"),
    "batch_delay_seconds": Switch(5, NUMBER, "time until a batch is applied, by the sandbox's clock"),
    "bare_delete": Switch("refuse", ("refuse", "activate", "remove_all"), "what a bare DELETE of /subjects does"),
    # section 5
    "header_case": Switch(
        "new", ("new", "old"), "productId, versionId, headerType; or productID, productVersion, headertype"
    ),
    "headers": Switch(True, (bool,), "whether sets of files come with a header"),
    "seed_header": Switch("SEEDFILE_HEADER", ("SEEDFILE_HEADER", "SEED_HEADER"), "kind of the seed header"),
    "exceptions_kind": Switch("Exceptions", ("Exceptions", "EXCEPTIONS"), "kind of the Exceptions file"),
    # section 6
    "match_empty": Switch("404", EMPTY, "a search by Match or typeahead that finds nothing"),
    "match_empty_code": Switch("20505", (str, None), "errorCode of those 404s; none leaves it out"),
    "match_grades": Switch("both", ("both", "letters", "components", "absent"), "how candidates carry match grades"),
    "match_address": Switch("present", ("present", "absent"), "whether candidates carry their address"),
    "match_country": Switch("needed", ("needed", "optional"), "whether Match refuses a search without a country"),
    "typeahead": Switch(True, (bool,), "whether the key may use typeahead; otherwise 401"),
    "unentitled_blocks": Switch(
        "refuse", ("refuse", "omit", "serve"), "data blocks outside the contract: 403, left out, or served"
    ),
    "block_members": Switch("blocks", ("blocks", "all"), "whether data blocks hold their own members, or all"),
    "transferred_data": Switch(
        "path", ("path", "url", "details"), "where the 301 names the company that continues: address or error details"
    ),
    "refresh_check_answer": Switch("top", ("top", "organization"), "where hasRefreshedData stands"),
    "family_tree": Switch(True, (bool,), "whether the key may use family trees; otherwise 401"),
    "family_tree_page": Switch(1_000, NUMBER, "most members on a page of a family tree"),
    "family_tree_links": Switch("present", ("present", "absent"), "whether pages name the next one, or only counts"),
    "family_tree_members": Switch(
        "top", ("top", "organization"), "where members are listed; below organization, names are spelled differently"
    ),
    "family_tree_alone": Switch("404", ("404", "itself"), "the family tree of a company without a family"),
    "family_tree_odd": Switch(
        "none",
        ("none", "cycle", "missing_parent", "twice", "repeated_page"),
        "the last member owns its parent, lacks it, or is listed twice; or every page repeats the first",
    ),
    "reference_categories": Switch(
        "ids",
        ("ids", "names", "numbers", "absent"),
        "categories of reference data: ids, a list of names, numbers, or 404",
    ),
    "reference_codes": Switch("code", ("code", "dnbCode", "object"), "how a code and its words are written"),
    "reference_german": Switch(True, (bool,), "whether reference data exists in German"),
    "reference_language": Switch("refuse", ("refuse", "english"), "answer for a language without reference data"),
    "entitlements": Switch(
        "blocks", ("blocks", "levels", "names", "keyed", "contracts", "none"), "layout of the answer to entitlements"
    ),
    "contract_end": Switch(None, (str, None), "day on which the contract ends, such as 2027-03-31; none leaves it out"),
    "calls_per_second": Switch(5, NUMBER, "calls per second per key, in real time; 0 is unlimited"),
    "count_token_calls": Switch(True, (bool,), "whether token calls count"),
    "latency_seconds": Switch(0, NUMBER, "minimum duration of each call"),
}


class BadSwitch(ValueError):
    """An unknown switch, or a value it does not take."""


class Switches:
    """The switches as they stand; kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._set: dict[str, Any] = store.recall("switches", {})

    def __getitem__(self, name: str) -> Any:
        return self._set.get(name, SWITCHES[name].default)

    def set(self, name: str, value: Any) -> None:
        switch = SWITCHES.get(name)
        if switch is None or not switch.takes(value):
            raise BadSwitch(f"{name} = {value!r}")
        self._set[name] = value
        self._store.remember("switches", self._set)

    def all(self) -> dict[str, Any]:
        return {name: self[name] for name in SWITCHES}
