"""A D-U-N-S number as a parameter or in a body of the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from direct_plus.duns import InvalidDuns, normalise_duns


class DunsField(serializers.CharField):
    """A D-U-N-S number, with or without dashes."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalise_duns(super().to_internal_value(data))
        except InvalidDuns as error:
            raise serializers.ValidationError(f"This is no D-U-N-S number: {error.reason}.") from error
