"""The events that webhooks can subscribe to, with their JSON schemas."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import an_answer
from core.api.parameters import Parameters
from monitoring.models import WEBHOOK_TEST
from monitoring.webhooks.event_types import EVENT_TYPES, EventType


def serialized(event: EventType) -> dict[str, Any]:
    return {"type": event.name, "summary": event.summary, "schema": event.schema, "example": event.whole_example}


class EventTypeSerializer(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="Name of the event.")
    summary = serializers.CharField(help_text="When the event is sent.")
    schema = serializers.DictField(help_text="JSON Schema (2020-12) of the body.")
    example = serializers.DictField(help_text="An example of the body.")


class EventTypesSerializer(serializers.Serializer[Any]):
    results = EventTypeSerializer(many=True)


class EventTypeList(APIView):
    permissions = {"GET": "monitoring.view_webhookendpoint"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="event_types",
        tags=["webhooks"],
        summary="List the events that webhooks can subscribe to",
        responses=EventTypesSerializer,
        examples=[an_answer("One of them", {"results": [serialized(EVENT_TYPES[WEBHOOK_TEST])]})],
    )
    def get(self, request: Request) -> Response:
        """Each event with the JSON Schema of its body. Later versions may add events and fields."""
        Parameters.of(request)
        return Response({"results": [serialized(event) for event in EVENT_TYPES.values()]})
