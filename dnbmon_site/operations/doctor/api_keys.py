"""What can be wrong with API keys: scopes that do not exist, and keys whose issuer has left."""

from __future__ import annotations

from collections.abc import Iterator

from dnbmon_site.accounts.models import ApiKey
from dnbmon_site.operations.doctor.finding import Finding


def api_keys() -> Iterator[Finding]:
    for key in ApiKey.objects.valid().select_related("created_by"):
        if unknown := key.unknown_scopes:
            yield Finding(
                f"API key {key} has scopes that do not exist: {', '.join(unknown)}.",
                "Select the scopes it needs under “API keys”, and save.",
            )
        if key.is_orphaned:
            who = f"{key.created_by}, who is no longer active" if key.created_by else "a user who was deleted"
            yield Finding(
                f"API key {key} was issued by {who}. It still works, and that person may still have it.",
                "Rotate it under “API keys” and give the new key to the client, or revoke it.",
            )
