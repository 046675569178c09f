"""The floor: what a hand-written loader takes for the same rows, a hundred notifications a transaction.

Frozen. Tables, indexes and rows are those of the day when it was written, whatever D&B Monitoring stores today: what it
saves in rows and indexes shows as a better ratio. The rows are made before the time is taken.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import psycopg
from pymongo import MongoClient, WriteConcern

from benchmarks.stream import Item, pages

COMPANY, NOTIFICATION, CHANGE = "portfolio_company", "monitoring_notification", "monitoring_change"
COLUMNS = {
    COMPANY: "duns name search_name country city operating_status changed_at merged_into global_ultimate projection"
    " version",
    NOTIFICATION: "id type delivered_at recorded_at position place retained_duns organization company_id delivery_id"
    " registration_id",
    CHANGE: "id kind element previous current changed_at delivered_at position place recorded_at severity derived_from"
    " superseded replaced_by entry company_id registration_id delivery_id notification_id",
}
SQLITE = """
CREATE TABLE "portfolio_company" ("duns" varchar(9) NOT NULL PRIMARY KEY, "name" text NOT NULL,
    "search_name" text NOT NULL, "country" varchar(2) NOT NULL, "city" text NOT NULL, "operating_status" text NOT NULL,
    "changed_at" datetime NULL, "merged_into" varchar(9) NOT NULL, "global_ultimate" varchar(9) NOT NULL,
    "projection" text NOT NULL, "version" bigint NOT NULL);
CREATE TABLE "monitoring_notification" ("id" blob NOT NULL PRIMARY KEY, "type" text NOT NULL,
    "delivered_at" datetime NULL, "recorded_at" datetime NOT NULL,
    "position" integer unsigned NOT NULL CHECK ("position" >= 0), "place" varchar(32) NOT NULL,
    "retained_duns" text NOT NULL, "organization" text NOT NULL, "company_id" varchar(9) NOT NULL,
    "delivery_id" blob NOT NULL, "registration_id" blob NOT NULL);
CREATE TABLE "monitoring_change" ("id" blob NOT NULL PRIMARY KEY, "kind" varchar(16) NOT NULL,
    "element" varchar(400) NOT NULL, "previous" text NULL, "current" text NULL, "changed_at" datetime NOT NULL,
    "delivered_at" datetime NULL, "position" integer unsigned NOT NULL CHECK ("position" >= 0),
    "place" varchar(52) NOT NULL, "recorded_at" datetime NOT NULL, "severity" smallint NOT NULL,
    "derived_from" varchar(73) NOT NULL, "superseded" bool NOT NULL, "replaced_by" blob NULL,
    "entry" smallint unsigned NOT NULL CHECK ("entry" >= 0), "company_id" varchar(9) NOT NULL,
    "registration_id" blob NOT NULL, "delivery_id" blob NOT NULL, "notification_id" blob NOT NULL);
"""
POSTGRES = """
CREATE TABLE portfolio_company (duns varchar(9) NOT NULL PRIMARY KEY, name text NOT NULL,
    search_name text NOT NULL COLLATE "C", country varchar(2) NOT NULL, city text NOT NULL,
    operating_status text NOT NULL, changed_at timestamptz, merged_into varchar(9) NOT NULL,
    global_ultimate varchar(9) NOT NULL, projection text NOT NULL, version bigint NOT NULL);
CREATE INDEX company_by_duns_like ON portfolio_company (duns varchar_pattern_ops);
CREATE TABLE monitoring_notification (id uuid NOT NULL PRIMARY KEY, type text NOT NULL, delivered_at timestamptz,
    recorded_at timestamptz NOT NULL, "position" integer NOT NULL CHECK ("position" >= 0), place varchar(32) NOT NULL,
    retained_duns text NOT NULL, organization text NOT NULL, company_id varchar(9) NOT NULL, delivery_id uuid NOT NULL,
    registration_id uuid NOT NULL);
CREATE TABLE monitoring_change (id uuid NOT NULL PRIMARY KEY, kind varchar(16) NOT NULL, element varchar(400) NOT NULL,
    previous text, current text, changed_at timestamptz NOT NULL, delivered_at timestamptz,
    "position" integer NOT NULL CHECK ("position" >= 0), place varchar(52) NOT NULL, recorded_at timestamptz NOT NULL,
    severity smallint NOT NULL, derived_from varchar(73) NOT NULL, superseded boolean NOT NULL, replaced_by uuid,
    entry smallint NOT NULL CHECK (entry >= 0), company_id varchar(9) NOT NULL, registration_id uuid NOT NULL,
    delivery_id uuid NOT NULL, notification_id uuid NOT NULL);
"""
# The same on every engine.
INDEXES = """
CREATE INDEX company_by_name ON portfolio_company (search_name, duns);
CREATE INDEX company_by_change ON portfolio_company (changed_at, duns);
CREATE INDEX company_by_country ON portfolio_company (country, duns);
CREATE INDEX company_by_merger ON portfolio_company (merged_into, duns);
CREATE INDEX company_by_group ON portfolio_company (global_ultimate, duns);
CREATE INDEX notification_by_company ON monitoring_notification (company_id, type, delivered_at);
CREATE INDEX notification_by_type ON monitoring_notification (type, id);
CREATE INDEX notification_by_registr ON monitoring_notification (registration_id, id);
CREATE INDEX notification_by_delivery ON monitoring_notification (delivery_id);
CREATE INDEX change_by_company ON monitoring_change (company_id, changed_at, place, id);
CREATE INDEX change_by_delivery ON monitoring_change (delivery_id, id);
CREATE INDEX change_by_kind ON monitoring_change (kind, id);
CREATE INDEX change_by_severity ON monitoring_change (severity, id);
CREATE INDEX change_by_registration ON monitoring_change (registration_id, id);
CREATE INDEX change_by_element ON monitoring_change (element, id);
CREATE INDEX change_by_time ON monitoring_change (changed_at, id);
CREATE INDEX change_by_replacement ON monitoring_change (replaced_by);
CREATE INDEX change_by_notification ON monitoring_change (notification_id);
"""
REGISTRATION = uuid.UUID("a986d709-1626-5a42-b47a-9be15d912fed")
PROJECTION = (
    '{"format":1,"order":["%s",0,"%s","%s"],"document":{"primaryName":"%s","countryISOAlpha2Code":"GB"},"status":null,'
    '"carried":{"a986d70916265a42b47a9be15d912fed":["countryISOAlpha2Code","primaryName"]},'
    '"touched":{"primaryName":"%s"}}'
)
SEVERITY = {"organization.dnbAssessment.failureScore.scoreDate": 0, "organization.primaryName": 2}

Row = tuple[Any, ...]


class Rows(NamedTuple):
    """Of a hundred notifications."""

    companies: list[Row]
    notifications: list[Row]
    changes: list[Row]

    def tables(self) -> Iterator[tuple[str, list[Row]]]:
        return zip(COLUMNS, self, strict=True)


class Loader(Protocol):
    """Of one database, which is empty."""

    def prepare(self, rows: Rows) -> Rows:
        """As the driver takes them; not counted."""

    def insert(self, rows: Rows) -> None:
        """In one transaction."""

    def close(self) -> None: ...


class Floor:
    """Loads notifications that it gets bit by bit, and counts the calls as D&B Monitoring does."""

    def __init__(self, url: str) -> None:
        scheme = urlsplit(url).scheme
        loaders: dict[str, Callable[[str], Loader]] = {"sqlite": SqliteLoader, "mongodb": MongoLoader}
        self.loader = loaders.get(scheme.partition("+")[0], PostgresLoader)(url)
        self.turn = 0

    def load(self, items: Sequence[Item], *, new_companies: bool = False) -> float:
        """The seconds that the database takes; a document brings a row of its company where companies are new."""
        seconds = 0.0
        for page in pages(iter(items)):
            self.turn += 1
            rows = self.loader.prepare(rows_of(page, self.turn, new_companies))
            begun = time.perf_counter()
            self.loader.insert(rows)
            seconds += time.perf_counter() - begun
        return seconds

    def close(self) -> None:
        self.loader.close()


# Rows


def rows_of(page: Sequence[Item], turn: int, new_companies: bool) -> Rows:
    rows = Rows([], [], [])
    recorded_at, delivery = datetime.now(UTC), key_of(page[0].at, "delivery", turn)
    for position, item in enumerate(page):
        key, place = key_of(item.at, "notification", item.number), f"0{turn:08x}{turn:08x}{position:05x}"
        rows.notifications.append(_notification(item, key, place, position, delivery, recorded_at))
        rows.changes.extend(_changes(item, key, place, position, delivery, recorded_at))
        if new_companies and item.document is not None:
            rows.companies.append(_company(item, key, place))
    return rows


def key_of(moment: datetime, *parts: object) -> uuid.UUID:
    """The time first, then a hash."""
    return uuid.UUID(
        bytes=_milliseconds(moment).to_bytes(6, "big") + blake2b(repr(parts).encode(), digest_size=10).digest()
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _story_place(item: Item, place: str, index: int, step: int) -> str:
    return f"{step:03x}{_milliseconds(item.delivered_at):012x}a986d7090{place[1:9]}0{place[9:]}{index:03x}"


def _company(item: Item, key: uuid.UUID, place: str) -> Row:
    assert item.document is not None
    name, at = str(item.document["primaryName"]), item.delivered_at.isoformat()
    projection = PROJECTION % (at, _story_place(item, place, 0, 1), key.hex, name, at)
    return (item.duns, name, name.lower(), "GB", "", "", item.delivered_at, "", "", projection, 1)


def _notification(
    item: Item, key: uuid.UUID, place: str, position: int, delivery: uuid.UUID, recorded_at: datetime
) -> Row:
    is_seed = item.document is not None
    kind, document = ("SEED", json.dumps(item.as_json()["organization"])) if is_seed else ("UPDATE", "")
    moments = (item.delivered_at, recorded_at)
    return (key, kind, *moments, position, place, "", document, item.duns, delivery, REGISTRATION)


def _changes(
    item: Item, key: uuid.UUID, place: str, position: int, delivery: uuid.UUID, recorded_at: datetime
) -> Iterator[Row]:
    is_seed = item.document is not None
    facts = [("", None, None)] if is_seed else item.elements
    kind, at, step = ("baseline", item.delivered_at, 0) if is_seed else ("element", item.at, 1)
    for index, (element, before, after) in enumerate(facts):
        values = (None, None) if is_seed else (json.dumps(before), json.dumps(after))
        yield (
            key_of(at, "change", item.number, index),
            kind,
            element,
            *values,
            at,
            item.delivered_at,
            position * 1000 + index,
            _story_place(item, place, index, step),
            recorded_at,
            SEVERITY.get(element, 1),
            "",
            False,
            None,
            0,
            item.duns,
            REGISTRATION,
            delivery,
            key,
        )


# Databases


class SqliteLoader:
    """Beside the file of D&B Monitoring, with the same care for what is committed."""

    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(f"{urlsplit(url).path}.floor", isolation_level=None)
        self.connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SQLITE + INDEXES)

    def prepare(self, rows: Rows) -> Rows:
        return Rows(*([tuple(map(_for_sqlite, row)) for row in table] for table in rows))

    def insert(self, rows: Rows) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        for table, values in rows.tables():
            marks = ",".join("?" * len(COLUMNS[table].split()))
            self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return value.bytes
    return str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value


class PostgresLoader:
    """In a schema of its own."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url)
        self.connection.execute("CREATE SCHEMA floor")
        self.connection.execute("SET search_path = floor")
        self.connection.execute((POSTGRES + INDEXES).encode())
        self.connection.commit()

    def prepare(self, rows: Rows) -> Rows:
        return rows

    def insert(self, rows: Rows) -> None:
        with self.connection.cursor() as cursor:
            for table, values in rows.tables():
                marks = ",".join(["%s"] * len(COLUMNS[table].split()))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})".encode(), values)
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()


class MongoLoader:
    """In a database of its own, with the same care for what is written."""

    def __init__(self, url: str) -> None:
        self.client: MongoClient[dict[str, Any]] = MongoClient(url, uuidRepresentation="standard")
        self.name = f"{urlsplit(url).path.strip('/')}_floor"
        self.database = self.client.get_database(self.name, write_concern=WriteConcern(w="majority", j=True))
        for line in INDEXES.strip().splitlines():
            table, _, columns = line.partition(" ON ")[2].rstrip(";)").partition(" (")
            self.database[table].create_index([(self._column(name), 1) for name in columns.split(", ")])

    @staticmethod
    def _column(name: str) -> str:
        return "_id" if name in ("id", "duns") else name

    def prepare(self, rows: Rows) -> Rows:
        return rows

    def insert(self, rows: Rows) -> None:
        for table, values in rows.tables():
            names = list(map(self._column, COLUMNS[table].split()))
            if values:
                self.database[table].insert_many([dict(zip(names, row, strict=True)) for row in values])

    def close(self) -> None:
        self.client.drop_database(self.name)
        self.client.close()
