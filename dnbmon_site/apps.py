"""The site: how the program is put together, and its commands."""

from functools import partial
from typing import Any, cast

from django.apps import AppConfig
from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold import apps as unfold_apps


class DnbmonSiteConfig(AppConfig):
    name = "dnbmon_site"
    default = True

    def ready(self) -> None:
        # People's visits stand at publications; and what is counted for the Overview.
        from dnbmon_site.dashboard import open_counts, since_last_visit  # noqa: F401

        # Its import also brings tracing, which listens to the queue.
        from dnbmon_site.worker import task_serializer

        task_serializer.install()


class UnfoldConfig(unfold_apps.DefaultAppConfig):  # type: ignore[misc]
    """Unfold's look, with a site of ours."""

    default = False

    def ready(self) -> None:
        from unfold.sites import UnfoldAdminSite

        class Site(UnfoldAdminSite):  # type: ignore[misc]
            def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
                """Every page asks for it, few look at it, and it takes longer than the menu."""
                return cast(list[Any], SimpleLazyObject(partial(super().get_app_list, request, app_label)))

        admin.site = admin.sites.site = Site()
