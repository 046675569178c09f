from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        from monitoring import tallying  # noqa: F401  names what is counted
        from monitoring.rule_pack import install_pack

        post_migrate.connect(install_pack, sender=self, dispatch_uid="monitoring.rule_pack")
