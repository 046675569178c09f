"""The site: how the program is put together, and its commands."""

from django.apps import AppConfig


class DnbmonSiteConfig(AppConfig):
    name = "dnbmon_site"

    def ready(self) -> None:
        # People's visits stand at publications; and what is counted for the Overview.
        from dnbmon_site.dashboard import open_counts, since_last_visit  # noqa: F401

        # Its import also brings tracing, which listens to the queue.
        from dnbmon_site.worker import task_serializer

        task_serializer.install()
