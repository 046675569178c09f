from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PortfolioConfig(AppConfig):
    name = "portfolio"
    verbose_name = _("Portfolio")

    def ready(self) -> None:
        from portfolio import dates
        from portfolio.roles import install_roles

        dates.install()
        # After Django's own receiver, which makes the permissions.
        post_migrate.connect(install_roles, dispatch_uid="portfolio.roles")
