"""The site: who may use the program, and how it is put together."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DnbmonSiteConfig(AppConfig):
    name = "dnbmon_site"
    verbose_name = _("People and keys")

    def ready(self) -> None:
        # Its import also brings tracing, which listens to the queue.
        from dnbmon_site import task_packages

        task_packages.install()
