from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortfolioConfig(AppConfig):
    name = "portfolio"
    verbose_name = _("Portfolio")

    def ready(self) -> None:
        from core import dates
        from portfolio import exports, open_counts, visibility  # noqa: F401  they declare lists, counts, and who sees what

        dates.install()
