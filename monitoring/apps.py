from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        # Each declares what it brings: what is counted, lists, consumers and followers of publications, ways to send.
        from monitoring import jobs, open_counts, visibility  # noqa: F401
        from monitoring.alerts import channel_messages, reach  # noqa: F401
        from monitoring.alerts.actions import follow_exposure, forget_closed_exposure
        from monitoring.alerts.default_rules import install_default_rules
        from monitoring.alerts.workflow.due_times import install_response_times
        from monitoring.decisions import listings as decision_listings  # noqa: F401
        from monitoring.exports import listings, scheduled  # noqa: F401
        from monitoring.figures import consumer  # noqa: F401
        from monitoring.follows import consumer as followers  # noqa: F401
        from monitoring.follows import messages  # noqa: F401
        from monitoring.reports import schedule  # noqa: F401
        from monitoring.webhooks import enqueue, send  # noqa: F401
        from portfolio.exposure import rates, refresh

        refresh.FOLLOWERS.append(follow_exposure)
        rates.BEFORE_ANOTHER_CURRENCY.append(forget_closed_exposure)
        post_migrate.connect(install_default_rules, sender=self, dispatch_uid="monitoring.alerts.default_rules")
        post_migrate.connect(install_response_times, sender=self, dispatch_uid="monitoring.alerts.workflow.due_times")
