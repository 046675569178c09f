"""The site: who may use the program, and how it is put together."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class DnbmonSiteConfig(AppConfig):
    name = "dnbmon_site"
    verbose_name = _("People and keys")

    def ready(self) -> None:
        from dnbmon_site.accounts.roles import install_roles

        # After Django's own receiver, which makes the permissions.
        post_migrate.connect(install_roles, dispatch_uid="dnbmon_site.accounts.roles")
        # People's visits stand at publications.
        from dnbmon_site.dashboard import since_last_visit  # noqa: F401

        # Its import also brings tracing, which listens to the queue.
        from dnbmon_site.worker import task_serializer

        task_serializer.install()
