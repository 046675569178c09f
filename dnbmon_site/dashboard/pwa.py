"""What makes D&B Monitoring an app on a phone: a manifest with icons, and a service worker with one page for when
there is no connection. Nothing else is kept on the phone: no data is ever shown that may be old.
"""

from __future__ import annotations

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control

from dnbmon_site.dashboard.theme import BRAND
from dnbmon_site.version import NAME

THEME = BRAND["primary"]["600"]
ICONS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-full.png", "512x512", "maskable"),
)
# A worker's own policy holds for what it fetches.
WORKER = {"default-src": [NONE], "connect-src": [SELF], "style-src": [SELF], "img-src": [SELF]}


def manifest(request: HttpRequest) -> HttpResponse:
    icons = [
        {"src": static(f"dnbmon/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
        for name, sizes, purpose in ICONS
    ]
    content = {
        "id": "/",
        "name": NAME,
        "short_name": "D&B",
        "description": gettext("Changes at the companies you monitor"),
        "start_url": reverse("admin:index"),
        "scope": reverse("admin:index"),
        "display": "standalone",
        "theme_color": THEME,
        "background_color": "#ffffff",
        "icons": icons,
        "shortcuts": [
            {"name": gettext("Alerts"), "url": reverse("admin:monitoring_alert_changelist")},
            {"name": gettext("Changes"), "url": reverse("admin:monitoring_change_changelist")},
        ],
    }
    return JsonResponse(content, content_type="application/manifest+json")


@cache_control(no_cache=True)
@csp(WORKER)
def service_worker(request: HttpRequest) -> HttpResponse:
    """At the root, as it serves what lies below its own address."""
    return render(request, "dnbmon_site/dashboard/service-worker.js", content_type="text/javascript; charset=utf-8")


def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "dnbmon_site/dashboard/offline.html")
