"""Does it work."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HealthConfig(AppConfig):
    name = "health"
    verbose_name = _("Health")

    def ready(self) -> None:
        from core.jobs import post_execute, pre_execute
        from health.heartbeats import beat_with_a_result, beat_with_a_task

        pre_execute.connect(beat_with_a_task)
        post_execute.connect(beat_with_a_result)
