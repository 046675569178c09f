"""Does it work."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _


class HealthConfig(AppConfig):
    name = "health"
    verbose_name = _("Health")

    def ready(self) -> None:
        from core.jobs import post_execute, pre_execute
        from health.checks.migrations import check_of_databases
        from health.heartbeats import beat_with_a_result, beat_with_a_task

        register(check_of_databases, Tags.database)
        pre_execute.connect(beat_with_a_task)
        post_execute.connect(beat_with_a_result)
