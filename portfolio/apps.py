from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PortfolioConfig(AppConfig):
    name = "portfolio"
    verbose_name = "Portfolio"

    def ready(self) -> None:
        from portfolio.roles import install_roles

        # After Django's own receiver, which makes the permissions.
        post_migrate.connect(install_roles, dispatch_uid="portfolio.roles")
