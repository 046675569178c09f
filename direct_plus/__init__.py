"""A client for D&B Direct+ monitoring: HTTP and JSON, no Django."""

from direct_plus.candidates import CompanyQuery, MatchCandidate
from direct_plus.client import DirectPlus
from direct_plus.duns import InvalidDuns, LostLeadingZero, format_duns, normalise_duns
from direct_plus.errors import DirectPlusError
from direct_plus.exact_json import parse_json
from direct_plus.payloads import ElementChange, Item, Split, UnreadableItem, parse_stamp, read_item, split_answer
from direct_plus.rate_limit import LocalThrottle, Throttle
from direct_plus.results import BatchAnswer, Outcome, RegistrationDetail, SubjectAnswer
from direct_plus.session import Kind, Session, error_of
from direct_plus.token_store import Credentials, MemoryTokenStore, Token, TokenStore
from direct_plus.transport import Answer

__all__ = [
    "Answer",
    "BatchAnswer",
    "CompanyQuery",
    "Credentials",
    "DirectPlus",
    "DirectPlusError",
    "ElementChange",
    "InvalidDuns",
    "Item",
    "Kind",
    "LocalThrottle",
    "LostLeadingZero",
    "MatchCandidate",
    "MemoryTokenStore",
    "Outcome",
    "RegistrationDetail",
    "Session",
    "Split",
    "SubjectAnswer",
    "Throttle",
    "Token",
    "TokenStore",
    "UnreadableItem",
    "error_of",
    "format_duns",
    "normalise_duns",
    "parse_json",
    "parse_stamp",
    "read_item",
    "split_answer",
]
