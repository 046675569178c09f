"""What is wrong with this installation and what to do about it: looked at from outside, before and while it runs.

Each look yields what it finds; none stops the others. Health (`/health/`) watches what runs over time; this here also
works where nothing runs yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import DatabaseError

from dnbmon_site.operations.doctor import addresses, api_keys, dnb, filters, machine
from dnbmon_site.operations.doctor.finding import Finding

Look = Callable[[], Iterator[Finding]]

# The name, the look, and whether it can see anything where the database is not there or not up to date.
LOOKS: tuple[tuple[str, Look, bool], ...] = (
    ("settings", machine.environment, False),
    ("external addresses", addresses.of_settings, False),
    ("disk", machine.disk, False),
    ("network folder", machine.network_folder, False),
    ("permissions", machine.permissions, False),
    ("Redis", machine.queue, False),
    ("backups", machine.backups, False),
    ("database", machine.database, False),
    ("migrations", machine.migrations, True),
    ("D&B's account and address", dnb.contracts, True),
    ("D&B's check of the API key", dnb.key, True),
    ("secrets in the database", machine.stored_secrets, True),
    ("pulling", dnb.pulling, True),
    ("worker", machine.worker, True),
    ("schedules", machine.schedules, True),
    ("webhooks and file servers", addresses.of_people, True),
    ("channels", addresses.channels, True),
    ("deliveries", machine.stuck, True),
    ("API keys", api_keys.api_keys, True),
    ("saved filters", filters.saved_filters, True),
    ("clock and network", dnb.clock, True),
)


def examine() -> Iterator[tuple[str, list[Finding]]]:
    """Each look's name, and what it found: nothing, where all is well."""
    is_usable = True
    for name, look, needs_database in LOOKS:
        if needs_database and not is_usable:
            continue
        found = looked(look)
        if look in (machine.database, machine.migrations):
            is_usable = is_usable and not found
        yield name, found


def looked(look: Look) -> list[Finding]:
    try:
        return list(look())
    except DatabaseError as error:
        return [
            Finding(
                f"The database reports an error: {error}".strip(),
                "See the requirements of each database engine in docs/operate/engines.md.",
            )
        ]
