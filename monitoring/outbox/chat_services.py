"""The services that a channel may write to: how each is addressed, and how it wants a message.

An address says where a message goes and nothing else: no method, header, file or other server. Services with hosts of
their own are for everybody; those that stand on any host only for who may manage channels.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

Body = Callable[[str, str], dict[str, Any]]
Found = re.Match[str]
LONGEST_TITLE, LONGEST_DISCORD, LONGEST_TELEGRAM = 250, 2_000, 4_096


@dataclass(frozen=True, slots=True)
class Chat:
    """Where messages of a channel go, and what is sent of a title and a text."""

    service: str
    url: str
    body: Body
    is_any_host: bool = False
    login: str = ""

    @property
    def headers(self) -> dict[str, str]:
        basic = {"Authorization": f"Basic {b64encode(self.login.encode()).decode()}"} if self.login else {}
        return {"Content-Type": "application/json", "User-Agent": "dnbmon-channels/1", **basic}


# How each wants a message


def _slack(title: str, text: str) -> dict[str, Any]:
    """Escaped, so that no name of a company calls a whole channel."""
    return {"text": f"*{_escaped(title)}*\n{_escaped(text)}"}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(title: str, text: str) -> dict[str, Any]:
    blocks = [
        {"type": "TextBlock", "text": title, "weight": "Bolder", "wrap": True},
        {"type": "TextBlock", "text": text.replace("\n", "\n\n"), "wrap": True},
    ]
    schema = "http://adaptivecards.io/schemas/adaptive-card.json"
    card = {"$schema": schema, "type": "AdaptiveCard", "version": "1.4", "body": blocks}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(title: str, text: str) -> dict[str, Any]:
    return {"text": f"{title}\n{text}"}


def _discord(title: str, text: str) -> dict[str, Any]:
    return {"content": f"{title}\n{text}"[:LONGEST_DISCORD], "allowed_mentions": {"parse": []}}


def _telegram(chat: str) -> Body:
    return lambda title, text: {"chat_id": chat, "text": f"{title}\n{text}"[:LONGEST_TELEGRAM]}


def _ntfy(topic: str) -> Body:
    return lambda title, text: {"topic": topic, "title": title[:LONGEST_TITLE], "message": text}


def _json(title: str, text: str) -> dict[str, Any]:
    return {"version": "1.0", "title": title, "message": text, "type": "info", "attachments": []}


# How each is addressed

TOKEN, PATH = r"[\w-]+", r"(?:/[\w.~%!$&'()*+,;=:@-]*)*"
HOST = r"(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?P<port>:\d{1,5})?"
LOGIN = r"(?:(?P<login>[^/?#@\s]+)@)?"
# Where Microsoft runs workflows; customers cannot put machines of their own under these names.
THEIRS = r"(?:logic\.azure\.com|api\.powerplatform\.com|webhook\.office\.com)"
MICROSOFT = rf"(?P<host>[\w-]+(?:\.[\w-]+)*\.{THEIRS})(?::443)?"
RUN = "/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig="


def _own_host(found: Found, path: str) -> str:
    scheme = "https" if found["secure"] else "http"
    return f"{scheme}://{found['host']}{found['port'] or ''}{path}"


def _login(found: Found) -> str:
    return unquote(found["login"] or "")


READERS: Mapping[str, Callable[[Found], Chat]] = {
    rf"https://hooks\.slack\.com/services/(?P<key>{TOKEN}/{TOKEN}/{TOKEN})": lambda found: Chat(
        "Slack", f"https://hooks.slack.com/services/{found['key']}", _slack
    ),
    rf"slack://(?:{TOKEN}@)?(?P<key>{TOKEN}/{TOKEN}/{TOKEN})/?": lambda found: Chat(
        "Slack", f"https://hooks.slack.com/services/{found['key']}", _slack
    ),
    rf"(?P<url>https://{MICROSOFT}/[^\s#]+)": lambda found: Chat("Microsoft Teams", found["url"], _teams),
    rf"workflows?://{MICROSOFT}/(?P<flow>{TOKEN})/(?P<sig>{TOKEN})/?": lambda found: Chat(
        "Microsoft Teams", f"https://{found['host']}/workflows/{found['flow']}{RUN}{found['sig']}", _teams
    ),
    r"(?P<url>https://chat\.googleapis\.com/v1/spaces/[\w-]+/messages\?[\w%&=.-]+)": lambda found: Chat(
        "Google Chat", found["url"], _text
    ),
    rf"https://discord(?:app)?\.com/api/webhooks/(?P<key>\d+/{TOKEN})": lambda found: Chat(
        "Discord", f"https://discord.com/api/webhooks/{found['key']}", _discord
    ),
    rf"discord://(?P<key>\d+/{TOKEN})/?": lambda found: Chat(
        "Discord", f"https://discord.com/api/webhooks/{found['key']}", _discord
    ),
    rf"tgram://(?:bot)?(?P<key>\d+:{TOKEN})/(?P<chat>-?\d+|@\w+)/?": lambda found: Chat(
        "Telegram", f"https://api.telegram.org/bot{found['key']}/sendMessage", _telegram(found["chat"])
    ),
    rf"(?P<url>https://webexapis\.com/v1/webhooks/incoming/{TOKEN})": lambda found: Chat("Webex", found["url"], _text),
    rf"(?:https://ntfy\.sh|ntfys?:/)/(?P<topic>{TOKEN})/?": lambda found: Chat(
        "ntfy", "https://ntfy.sh/", _ntfy(found["topic"])
    ),
    rf"ntfy(?P<secure>s)?://{LOGIN}{HOST}/(?P<topic>{TOKEN})/?": lambda found: Chat(
        "ntfy", _own_host(found, "/"), _ntfy(found["topic"]), True, _login(found)
    ),
    rf"mmost(?P<secure>s)?://(?:{TOKEN}@)?{HOST}(?P<path>(?:/{TOKEN})*)/(?P<key>{TOKEN})/?": lambda found: Chat(
        "Mattermost", _own_host(found, f"{found['path']}/hooks/{found['key']}"), _text, True
    ),
    rf"rocket(?P<secure>s)?://(?P<key>{TOKEN}/{TOKEN})@{HOST}/?": lambda found: Chat(
        "Rocket.Chat", _own_host(found, f"/hooks/{found['key']}"), _text, True
    ),
    rf"json(?P<secure>s)?://{LOGIN}{HOST}(?P<path>{PATH})": lambda found: Chat(
        "JSON", _own_host(found, found["path"] or "/"), _json, True, _login(found)
    ),
    rf"http(?P<secure>s)?://{HOST}(?P<path>{PATH}(?:\?[^\s#]*)?)": lambda found: Chat(
        "JSON", _own_host(found, quote(found["path"] or "/", safe="/?%!$&'()*+,;=:@~-._[]")), _json, True
    ),
}


def chat_of(address: str) -> Chat | None:
    """What an address stands for; None for what is none of a service that is offered."""
    for pattern, read in READERS.items():
        if found := re.fullmatch(pattern, address.strip(), re.ASCII | re.IGNORECASE):
            return read(found)
    return None
