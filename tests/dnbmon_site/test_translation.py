"""Every word that people see passes through Django's translation: the templates are read for it, and the pages are
opened in a language that puts each message into brackets, so that what stands outside was forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib import admin
from django.template.base import Lexer, TokenType
from django.test import Client, RequestFactory
from django.utils import translation
from django.utils.translation.template import templatize
from django_countries import countries

from dnbmon_site.accounts.models import User
from tests.builders.reports import DAYS, START
from tests.dnbmon_site.translation_world import ALIKE, OF_PAGES, a_full_world
from tests.support import PROGRAM

ROOT = Path(settings.BASE_DIR)
TEMPLATES = ROOT / "templates"
LETTERS = re.compile(r"[^\W\d_]")
SHOWN_ATTRIBUTES = {"title", "aria-label", "placeholder", "alt", "aria-description", "data-label"}
HIDDEN_TAGS = {"script", "style", "code", "pre", "template"}


# The templates, as they are written


class _Words(HTMLParser):
    """Text that a reader sees or hears, with letters in it; the names of symbols are none."""

    ICONS = "material-symbols-outlined"

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.text: list[str] = []
        self._hidden = self._icon = 0

    @property
    def is_shown(self) -> bool:
        return not self._hidden and not self._icon

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._hidden += tag in HIDDEN_TAGS
        self._icon += tag == "span" and bool(self._icon or self.ICONS in (values.get("class") or ""))
        shown = SHOWN_ATTRIBUTES | ({"value"} if values.get("type") in ("submit", "button") else set())
        self.found.extend(value for name, value in attrs if name in shown and value)

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in HIDDEN_TAGS
        self._icon -= tag == "span" and self._icon > 0

    def handle_data(self, data: str) -> None:
        if self.is_shown:
            self.found.append(data)


def unmarked(source: str) -> list[str]:
    """Words of a template outside what is translated, and words handed on in quotes by its tags and filters."""
    parser, in_block = _Words(), ""
    literals: list[str] = []
    for token in Lexer(source).tokenize():
        name = token.contents.split()[0] if token.token_type == TokenType.BLOCK and token.contents.split() else ""
        if in_block:
            in_block = "" if name in (f"end{in_block}",) else in_block
        elif name in ("blocktranslate", "blocktrans", "comment"):
            in_block = name
        elif token.token_type == TokenType.TEXT:
            parser.feed(token.contents)
        elif name not in ("translate", "trans", "url", "static", "load", "extends", "block"):
            literals.extend(_literals(token.contents))
    parser.close()
    return [words.strip() for words in (*parser.found, *literals) if LETTERS.search(ALIKE.sub("", words))]


# Words in quotes: the second of `badge`, what follows `default:` and its like, and everything with a blank in it.
_SAID_BY_FILTER = re.compile(r"""\|(?:default|default_if_none|yesno|pluralize|plural|add):\s*["']([^"']*)["']""")
_IN_QUOTES = re.compile(r"""(?<![_\w])["']([^"'{}]*)["']|_\(["'][^"']*["']\)""")
_FORMATS = re.compile(r"""\|(?:date|time|cut|join|stringformat|floatformat):["'][^"']*["']|now ["'][^"']*["']""")
# Spoken of in code: keys of states, names of files and addresses.
_CODE = re.compile(r"[a-z0-9_\-./:#?=&,]*|Resolver404|Http404")


def _literals(contents: str) -> Iterator[str]:
    contents = _FORMATS.sub("", re.sub(r"""_\((["'])[^"']*\1\)""", "", contents))
    yield from _SAID_BY_FILTER.findall(contents)
    for words in _IN_QUOTES.findall(_SAID_BY_FILTER.sub("", contents)):
        if not _CODE.fullmatch(words):
            yield words


def all_templates() -> list[str]:
    return sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.suffix in (".html", ".txt"))


def test_every_word_of_every_template_is_marked() -> None:
    found = {name: unmarked((TEMPLATES / name).read_text()) for name in all_templates()}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Hello {{ name }}</p>", ["Hello"]),
        ('<span class="material-symbols-outlined">search</span><span>find</span>', ["find"]),
        ('<p title="Good {{ day }}">{{ word }}</p>', ["Good"]),
        ('{% load i18n %}<p>{% translate "Hello" %} – {% blocktranslate %}you{% endblocktranslate %}</p>', []),
        ('{{ day|default:"never" }} {{ day|date:"j F" }}', ["never"]),
        ('{% include "x.html" with title="Good day" %}', ["Good day"]),
        ('{% include "x.html" with title=_("Good day") %}{% if row.state == "paused" %}1 kB{% endif %}', []),
        ('<span data-label="Before" class="dm-x">D-U-N-S</span><code>manage.py</code>', ["Before"]),
    ],
)
def test_what_the_reading_finds(source: str, words: list[str]) -> None:
    assert unmarked(source) == words


def test_the_templates_can_be_collected() -> None:
    """As `makemessages` does it: it refuses tags inside of a text."""
    assert all(templatize((TEMPLATES / name).read_text(), origin=name) for name in all_templates())


# The code, as it is written

AT_ONCE, LAZY = {"gettext": 1, "ngettext": 2}, {"gettext_lazy": 1, "_": 1, "ngettext_lazy": 2, "gettext_noop": 1}
# What is marked elsewhere: names of schedules, of the sign-in service, and of elements (`labels_catalog.py`,
# `data_blocks.py`).
MARKED_ELSEWHERE = {
    *("gettext(shown_name(row))", "gettext(settings.OIDC_NAME)", "gettext(plain)"),
    *("gettext(known)", "gettext_lazy(known.label)"),
}


def calls_of(source: str) -> Iterator[tuple[ast.Call, str, bool]]:
    """Calls that mark a text, and whether each runs when its module is read."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            body = node.body if isinstance(node.body, list) else [node.body]
            inside.update(id(one) for part in body for one in ast.walk(part))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in AT_ONCE | LAZY:
            yield node, node.func.id, id(node) not in inside


def trouble_with(source: str) -> Iterator[str]:
    for call, name, at_import in calls_of(source):
        texts = call.args[: (AT_ONCE | LAZY)[name]]
        words = [one.value for one in texts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        code = ast.unparse(call)
        if len(words) < len(texts) and code not in MARKED_ELSEWHERE:
            yield f"put together: {code}"
        if at_import and name in AT_ONCE:
            yield f"in the language of the start: {code}"
        if any(re.search(r"%[sd]", text) for text in words):
            yield f"places without names: {code}"


def test_marked_texts_are_whole_and_asked_for_when_they_are_shown() -> None:
    apps = [path for app in PROGRAM for path in (ROOT / app).rglob("*.py")]
    found = {str(path): list(trouble_with(path.read_text())) for path in apps if "migrations" not in path.parts}
    assert {path: trouble for path, trouble in found.items() if trouble} == {}


@pytest.mark.parametrize(
    ("source", "trouble"),
    [
        ('X = _("a")\ndef f(): return gettext("b %(c)s") % {"c": 1}', []),
        ('def f(): return gettext(f"b {c}")', ["put together"]),
        ('X = gettext("a")', ["in the language of the start"]),
        ('X = lambda: ngettext("%d day", "%d days", 1)', ["places without names"]),
    ],
)
def test_what_is_wrong_with_a_marked_text(source: str, trouble: list[str]) -> None:
    assert [one.partition(":")[0] for one in trouble_with(source)] == trouble


# The pages, as they are shown

OPEN, CLOSE = "⟦", "⟧"
# Lists, and forms for what is new, come from the admin itself; here are the pages of single rows, and all others.
OF_THE_PORTFOLIO = (
    "",
    "?part=live",
    "my/",
    "my/notifications/",
    "password_change/",
    "offline",
    "portfolio/company/export/",
    "portfolio/subject/{subject}/change/",
    "portfolio/contract/default/change/",
    "portfolio/contract/year/",
    "core/auditentry/{audit}/change/",
    "portfolio/proposal/{proposal}/change/",
    "portfolio/subjectimport/upload/",
    "monitoring/deliveredfile/upload/",
    "portfolio/subjectimport/{import}/change/",
    "portfolio/companysearch/find/",
    "portfolio/companysearch/decide/",
    "portfolio/companysearch/{search}/change/",
    "portfolio/syncrun/{run}/change/",
    "portfolio/syncrun/drift/{registration}/",
    "portfolio/syncrun/adopt/{registration}/",
    "portfolio/syncrun/suppress/{registration}/",
)
OF_MONITORING = (
    "portfolio/company/?country=GB",
    "portfolio/company/{duns}/change/",
    "portfolio/company/{duns}/change/?as_of=2026-03-05",
    "portfolio/registration/{registration}/change/",
    "portfolio/registration/pause/?ids={registration}",
    "monitoring/change/?columns=name,told",
    "monitoring/change/{change}/change/",
    "monitoring/notification/{notification}/change/",
    "monitoring/delivery/{delivery}/change/",
    "monitoring/alert/{alert}/change/",
    "monitoring/alertrule/{rule}/change/",
    "monitoring/alertrule/{rule}/try/",
    "monitoring/alertrule/{rule}/effectiveness/",
    "monitoring/reportschedule/report/?period=2026-W10",
    "health/",
    "monitoring/deadletter/{unreadable}/change/",
    "monitoring/deliveredfile/{file}/change/",
    "monitoring/replaypass/{pass}/change/",
    "monitoring/datafetch/{fetch}/change/",
    "monitoring/datafetch/{fetch}/company/{duns}/",
    "monitoring/datafetch/request/?company={duns}",
    "monitoring/datafetch/request/?gap={registration}",
    "monitoring/familytree/{tree}/change/",
    "monitoring/familytree/request/?kind=full&company={duns}",
    "portfolio/family-tree/{duns}/",
    "portfolio/company/{duns}/change/?tab=ownership",
    "monitoring/channel/{channel}/change/",
    "monitoring/webhookendpoint/{webhook}/change/",
    "monitoring/outboxmessage/{message}/change/",
    "monitoring/fileserver/{server}/change/",
    "monitoring/alert/?state=all",
    "monitoring/reportschedule/{schedule}/change/",
    "monitoring/scheduledexport/{scheduled}/change/",
    "monitoring/element/{element}/change/",
    "health/incident/{incident}/change/",
    "portfolio/company/?q=x",
)


def lists_and_new_forms() -> tuple[str, ...]:
    """Of every model that has pages, where it can be added by hand also the form for it."""
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True)
    found = [
        (f"{model._meta.app_label}/{model._meta.model_name}/", page) for model, page in admin.site._registry.items()
    ]
    # The form for a role shows the names of all rights, which are rows.
    added = [f"{path}add/" for path, page in found if page.has_add_permission(request) and path != "auth/group/"]
    return (*(path for path, _ in found), *added)


@pytest.fixture
def in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language in which every message stands in brackets; lazy ones ask for it when they are shown."""

    def one(message: str) -> str:
        return f"{OPEN}{message}{CLOSE}" if message else message

    def some(singular: str, plural: str, number: int) -> str:
        return one(singular if number == 1 else plural)

    for name, said in {
        "gettext": one,
        "pgettext": lambda context, message: one(message),
        "ngettext": some,
        "npgettext": lambda context, singular, plural, number: some(singular, plural, number),
    }.items():
        monkeypatch.setattr(translation._trans, name, said, raising=False)  # type: ignore[attr-defined]
    # It keeps its names by language, and this one has no name of its own.
    monkeypatch.setattr(countries, "_iter_cache", {}, raising=False)


class _Shown(_Words):
    """A page: the text of a run of inline elements belongs together, so a message may hold some."""

    def handle_data(self, data: str) -> None:
        if self.is_shown:
            self.text.append(data)


def outside(text: str) -> str:
    """What stands outside of all brackets."""
    depth, kept = 0, []
    for part in re.split(f"([{OPEN}{CLOSE}])", text):
        if part in (OPEN, CLOSE):
            depth = max(0, depth + (1 if part == OPEN else -1))
        elif not depth:
            kept.append(part)
    return "".join(kept)


def forgotten(page: str, own: re.Pattern[str]) -> list[str]:
    parser = _Shown()
    parser.feed(page)
    parser.close()
    lines = outside("\n".join(parser.text)).split("\n") + [outside(words) for words in parser.found]
    stripped = (own.sub("", ALIKE.sub("", line)).strip() for line in lines)
    return sorted({line for line in stripped if LETTERS.search(line)})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "pages", [OF_THE_PORTFOLIO, OF_MONITORING, lists_and_new_forms()], ids=["portfolio", "monitoring", "lists"]
)
def test_every_word_of_every_page_is_translated(client: Client, in_brackets: None, pages: tuple[str, ...]) -> None:
    with time_machine.travel(START + timedelta(days=DAYS)):
        keys, own = a_full_world()
        client.force_login(User.objects.get(username="ann"))
        found = dict(_each_page(client, pages, keys, own))
    wrong = {path: words for path, words in found.items() if words}
    assert wrong == {}


def _each_page(
    client: Client, pages: tuple[str, ...], keys: dict[str, Any], own: re.Pattern[str]
) -> Iterator[tuple[str, list[str]]]:
    for path in pages:
        answer = client.get("/" + path.format(**keys), follow=True)
        # Nothing works here that health looks for, and its page says so with a 503.
        assert answer.status_code == 200 or path == "health/", path
        found = forgotten(answer.content.decode(), own)
        yield path, [words for words in found if words not in OF_PAGES.get(path, ())]


def test_what_stands_outside_of_brackets() -> None:
    own = re.compile("Acme Ltd")
    assert forgotten("<p>⟦Good <b>day</b>, Acme⟧ Acme Ltd <b>and</b></p><i title='⟦a ⟦b⟧⟧ c'></i>", own) == ["and", "c"]
