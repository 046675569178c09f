"""The site: who may use the program, and how it is put together."""

from django.apps import AppConfig


class DnbmonSiteConfig(AppConfig):
    name = "dnbmon_site"
    verbose_name = "People and keys"

    def ready(self) -> None:
        from dnbmon_site import tracing  # noqa: F401  it listens to the queue
