"""The events that webhooks can hear of, with their JSON schemas."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import an_answer
from core.api.parameters import Parameters
from monitoring.webhooks.event_types import EVENT_TYPES, WEBHOOK_TEST, EventType


def serialized(event: EventType) -> dict[str, Any]:
    return {"type": event.name, "summary": event.summary, "schema": event.schema, "example": event.whole_example}


class EventTypeSerializer(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="What an endpoint subscribes to.")
    summary = serializers.CharField(help_text="When it is sent.")
    schema = serializers.DictField(help_text="JSON schema (2020-12) of the body.")
    example = serializers.DictField(help_text="A body.")


class EventTypesSerializer(serializers.Serializer[Any]):
    results = EventTypeSerializer(many=True)


class EventTypeList(APIView):
    permissions = {"GET": "monitoring.view_webhookendpoint"}

    @extend_schema(
        operation_id="event_types",
        tags=["webhooks"],
        summary="The events that webhooks can hear of",
        responses=EventTypesSerializer,
        examples=[an_answer("One of them", {"results": [serialized(EVENT_TYPES[WEBHOOK_TEST])]})],
    )
    def get(self, request: Request) -> Response:
        """Each with the JSON schema of its body. More may come in time, and more members in each."""
        Parameters.of(request)
        return Response({"results": [serialized(event) for event in EVENT_TYPES.values()]})
