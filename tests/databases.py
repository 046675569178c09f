"""Fresh, migrated databases in a moment: each engine copies one that was migrated once a session."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from pymongo import MongoClient
from pymongo.collection import Collection

ROOT = Path(__file__).resolve().parent.parent


class Databases:
    """`shared` is one directory for all processes of a test session; its name makes the template's name."""

    def __init__(self, url: str, shared: Path) -> None:
        self.url = url
        self.shared = shared
        self.template = f"template_{shared.name.rsplit('-', 1)[-1]}"

    def fresh(self, name: str) -> str:
        with self.lock():
            self.ensure_template()
            self.copy(name)
        return self.url_of(name)

    @contextmanager
    def lock(self) -> Iterator[None]:
        with (self.shared / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def done(self) -> Path:
        return self.shared / "template-is-there"

    def ensure_template(self) -> None:
        if self.done.exists():
            return
        self.create(self.template)
        migrate(self.url_of(self.template))
        self.done.touch()

    def drop_template(self) -> None:
        if self.done.exists():
            self.drop(self.template)

    def url_of(self, name: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def create(self, name: str) -> None:
        """Nothing, where a database begins to exist by being written to."""

    def copy(self, name: str) -> None:
        raise NotImplementedError

    def drop(self, name: str) -> None:
        raise NotImplementedError


class SqliteDatabases(Databases):
    def path_of(self, name: str) -> Path:
        return self.shared / f"{name}.sqlite3"

    def url_of(self, name: str) -> str:
        return f"sqlite:///{self.path_of(name)}"

    def copy(self, name: str) -> None:
        shutil.copy(self.path_of(self.template), self.path_of(name))

    def drop(self, name: str) -> None:
        for path in self.shared.glob(f"{name}.sqlite3*"):
            path.unlink()


class PostgresDatabases(Databases):
    def execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def create(self, name: str) -> None:
        self.execute("CREATE DATABASE {}", name)

    def copy(self, name: str) -> None:
        self.execute("CREATE DATABASE {} TEMPLATE {}", name, self.template)

    def drop(self, name: str) -> None:
        self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


class MongoDatabases(Databases):
    def client(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.url)

    def copy(self, name: str) -> None:
        with self.client() as client:
            source, target = client[self.template], client[name]
            for collection in source.list_collection_names():
                target.create_collection(collection)
                if documents := list(source[collection].find()):
                    target[collection].insert_many(documents)
                copy_indexes(source[collection], target[collection])

    def drop(self, name: str) -> None:
        with self.client() as client:
            client.drop_database(name)


def copy_indexes(source: Collection[Any], target: Collection[Any]) -> None:
    for index in source.list_indexes():
        options = {key: value for key, value in index.items() if key not in ("key", "v", "ns")}
        if index["name"] != "_id_":
            target.create_index(list(index["key"].items()), **options)


def migrate(url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"migrate failed on {url}:\n{done.stderr}")


def for_url(url: str, shared: Path) -> Databases:
    by_scheme = {"sqlite": SqliteDatabases, "mongodb": MongoDatabases, "mongodb+srv": MongoDatabases}
    return by_scheme.get(urlsplit(url).scheme, PostgresDatabases)(url, shared)
