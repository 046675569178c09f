"""Users, their permissions and API keys."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "dnbmon_site.accounts"
    verbose_name = _("Users and API keys")

    def ready(self) -> None:
        from dnbmon_site.accounts.roles import install_roles
        from dnbmon_site.accounts.second_factor import requirement

        # After Django's own receiver, which makes the permissions.
        post_migrate.connect(install_roles, dispatch_uid="dnbmon_site.accounts.roles")
        requirement.connect()
