"""The floor loads what it is given, into the tables of its day."""

import pytest

from benchmarks import stream
from benchmarks.floor import CHANGE, COMPANY, NOTIFICATION, Floor, MongoLoader, PostgresLoader, SqliteLoader, rows_of


def test_all_rows_of_all_pages_are_there(database_url_for_processes: str) -> None:
    floor = Floor(database_url_for_processes)
    floor.load(list(stream.a_feed(range(150))), new_companies=True)
    assert {table: count(floor, table) for table in (COMPANY, NOTIFICATION, CHANGE)} == {
        COMPANY: 75,
        NOTIFICATION: 150,
        CHANGE: 225,
    }
    floor.close()


def count(floor: Floor, table: str) -> int:
    loader = floor.loader
    if isinstance(loader, MongoLoader):
        return loader.database[table].count_documents({})
    assert isinstance(loader, SqliteLoader | PostgresLoader)
    return len(loader.connection.execute(f"SELECT 1 FROM {table}").fetchall())


@pytest.mark.every_engine
def test_rows_are_as_large_as_on_the_day_of_the_floor() -> None:
    """Of the same notifications as D&B Monitoring stored them then: what it saves since is no saving of the floor."""
    page = list(stream.a_feed(range(2)))
    rows = rows_of(page, 1, new_companies=True)
    assert [len(row[5]) for row in rows.notifications] == [22, 22]
    assert [len(row[8]) for row in rows.changes] == [49, 49, 49]
    assert [row[2] for row in rows.changes] == ["", stream.SCORE_DATE, stream.EMPLOYEES]
