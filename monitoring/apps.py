from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        from monitoring import open_counts  # noqa: F401  declares what is counted
        from monitoring.alerts import reach  # noqa: F401  declares what is counted
        from monitoring.alerts.default_rules import install_pack
        from monitoring.exports import listings  # noqa: F401  declares lists

        post_migrate.connect(install_pack, sender=self, dispatch_uid="monitoring.alerts.default_rules")
