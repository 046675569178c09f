"""What a page may load and do (Content-Security-Policy): nothing but our own files, and more only where a library must.

Nobody's page has a script inside it, and nothing comes from another host. django-unfold's pages need two words more:
its menus are Alpine.js and htmx, which make functions out of attributes (`unsafe-eval`), and it writes the brand's
colours and the widths of bars into the page (`unsafe-inline` for styles). Every other answer gets the strict
policy, error pages and downloads included.
"""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Policy = dict[str, list[str]]

# No page may be framed, send a form elsewhere, or have its links turned by a <base>.
FENCES: Policy = {"base-uri": [NONE], "form-action": [SELF], "frame-ancestors": [NONE], "object-src": [NONE]}
STRICT: Policy = {"default-src": [NONE], "style-src": [SELF], "img-src": [SELF], **FENCES}
UNFOLD: Policy = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    **FENCES,
}


class ContentPolicy(CSPMiddleware):
    """The strict policy for everything that does not say otherwise and is no page of the admin."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only and is_in_unfolds_frame(response):
            parts.config = dict(UNFOLD)
        return parts


def is_in_unfolds_frame(response: HttpResponseBase) -> bool:
    """All pages of the admin are drawn with what its site tells each of them."""
    return "site_header" in (getattr(response, "context_data", None) or {})
