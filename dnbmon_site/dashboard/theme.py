"""The colours of the admin, and its own style sheet and script."""

from __future__ import annotations

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

BRAND = {
    "primary": {
        "50": "#eef6fb",
        "100": "#d8eaf6",
        "200": "#b5d6ec",
        "300": "#83b9dd",
        "400": "#4a96c8",
        "500": "#2479b0",
        "600": "#166194",
        "700": "#134e78",
        "800": "#134264",
        "900": "#143854",
        "950": "#0d2438",
    },
}


def style(request: HttpRequest) -> str:
    return static("dnbmon/pages.css")


def script(request: HttpRequest) -> str:
    return static("dnbmon/live.js")


def keyboard(request: HttpRequest) -> str:
    return static("dnbmon/keyboard.js")


def install(request: HttpRequest) -> str:
    return static("dnbmon/install.js")


def manifest(request: HttpRequest) -> str:
    return reverse("manifest")


def apple_icon(request: HttpRequest) -> str:
    return static("dnbmon/icon-apple.png")


def icon(request: HttpRequest) -> str:
    return static("dnbmon/icon.svg")
