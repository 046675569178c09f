"""The handbook inside the program: who reads at three in the morning what broke finds what to do one click away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from markdown_it.token import Token

FOLDER: Path = settings.BASE_DIR / "docs"


@require_safe
def page(request: HttpRequest, path: str) -> HttpResponseBase:
    """A page of `docs/` as people read it; what it shows or offers beside it, as it is."""
    if folder := folder_now(path):
        return redirect("handbook", f"{folder}/{path}", permanent=True)
    file = found(path)
    if file.suffix != ".md":
        return FileResponse(file.open("rb"))
    return read(request, file)


def folder_now(path: str) -> str:
    """Pages stood in no folder once, and bookmarks lead to them there."""
    return next((file.parent.name for file in FOLDER.glob("*/*.md") if file.name == path), "")


def found(path: str) -> Path:
    file = FOLDER / path
    if not is_of_the_handbook(file):
        raise Http404(gettext("The page does not exist in the documentation. Check the address."))
    return file.resolve()


def is_of_the_handbook(file: Path) -> bool:
    try:
        return file.resolve().is_relative_to(FOLDER.resolve()) and file.is_file()
    except (ValueError, OSError):
        return False  # a name that no file can have


def read(request: HttpRequest, file: Path) -> HttpResponse:
    title, body = rendered(file, file.stat().st_mtime)
    request.current_app = admin.site.name
    shared = admin.site.each_context(request)
    return TemplateResponse(request, "health/runbook_page.html", {**shared, **place(title), "body": body})


def place(title: str) -> dict[str, Any]:
    return {"title": title, "place_trail": [(gettext("Help"), reverse("help"))]}


@lru_cache(maxsize=64)
def rendered(file: Path, changed: float) -> tuple[str, SafeString]:
    """Title and body. The text is the program's own, so what it says in HTML is meant."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = markdown.parse(file.read_text(encoding="utf-8"))
    title = tokens[1].content if tokens and tokens[0].tag == "h1" else file.stem
    body = tokens[3:] if tokens and tokens[0].tag == "h1" else tokens
    name_headings(body)
    leave_out_what_is_elsewhere(body, file.parent)
    return title, mark_safe(markdown.renderer.render(body, markdown.options, {}))  # noqa: S308


def section(page: str, name: str) -> SafeString:
    """One section of a page, for where the page itself cannot be had."""
    file = found(page)
    _, body = rendered(file, file.stat().st_mtime)
    parts = (part for part in re.split(r"(?=<h2)", body) if f'<a id="{name}"></a>' in part)
    return mark_safe(next(parts, ""))


def name_headings(tokens: Sequence[Token]) -> None:
    """As GitHub names them, so that links work in both places."""
    for opening, inside in zip(tokens, tokens[1:], strict=False):
        if opening.type == "heading_open":
            words = re.sub(r"<[^>]*>|[^\w\s-]", "", inside.content).strip().lower()
            opening.attrSet("id", re.sub(r"\s", "-", words))


def leave_out_what_is_elsewhere(tokens: Sequence[Token], folder: Path) -> None:
    """Links out of the folder lead to files that only a checkout has."""
    for token in tokens:
        for child in token.children or ():
            if leads_out(str(child.attrs.get("href", "")), folder):
                del child.attrs["href"]


def leads_out(link: str, folder: Path) -> bool:
    return link.startswith("../") and not (folder / link).resolve().is_relative_to(FOLDER.resolve())
