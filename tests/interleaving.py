"""Two pieces of work in turns, in an order that a test chooses: each runs from one cut to its next.

Both work on the test's own connection, so cuts may only stand where no transaction is open; `without_transactions`
opens none, which lets cuts stand anywhere and shows each what the other has written so far.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import combinations
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from tests.engines import engine

# Which worker goes on to its next cut, again and again; who is left runs to its end.
Order = Sequence[int]


class Worker(threading.Thread):
    def __init__(self, work: Callable[[], object], connection: Any) -> None:
        super().__init__(daemon=True)
        self.work, self.connection = work, connection
        self.goes_on, self.stands = threading.Semaphore(0), threading.Semaphore(0)
        self.steps, self.is_done = 0, False
        self.error: BaseException | None = None

    def run(self) -> None:
        connections[DEFAULT_DB_ALIAS] = self.connection
        self.goes_on.acquire()
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - given to who waits
            self.error = error
        self.is_done = True
        self.stands.release()

    def step(self) -> None:
        """On to the next cut, or to the end."""
        if self.is_done:
            return
        self.steps += 1
        self.goes_on.release()
        self.stands.acquire()
        if self.error:
            raise self.error

    def cut(self) -> None:
        self.stands.release()
        self.goes_on.acquire()


def cut() -> None:
    """Where a worker stands until it goes on; for anybody else nothing."""
    worker = threading.current_thread()
    if isinstance(worker, Worker):
        worker.cut()


def cut_before(monkeypatch: pytest.MonkeyPatch, *functions: tuple[Any, str]) -> None:
    for owner, name in functions:
        monkeypatch.setattr(owner, name, _after_a_cut(getattr(owner, name)))


def cut_after(monkeypatch: pytest.MonkeyPatch, *functions: tuple[Any, str]) -> None:
    for owner, name in functions:
        monkeypatch.setattr(owner, name, _before_a_cut(getattr(owner, name)))


def _before_a_cut(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **options: Any) -> Any:
        found = function(*arguments, **options)
        cut()
        return found

    return called


def _after_a_cut(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **options: Any) -> Any:
        cut()
        return function(*arguments, **options)

    return called


def without_transactions(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    for module in modules:
        monkeypatch.setattr(module, "transaction", SimpleNamespace(atomic=nullcontext))


def interleave(order: Order, *works: Callable[[], object]) -> list[int]:
    """Run them; returns how many steps each took."""
    with _shared_connection() as connection:
        workers = [Worker(work, connection) for work in works]
        for worker in workers:
            worker.start()
        for number in order:
            workers[number].step()
        for worker in workers:
            while not worker.is_done:
                worker.step()
    return [worker.steps for worker in workers]


@contextmanager
def _shared_connection() -> Iterator[Any]:
    connection = connections[DEFAULT_DB_ALIAS]
    connection.inc_thread_sharing()
    try:
        yield connection
    finally:
        connection.dec_thread_sharing()


def some_of(orders: Iterable[Order], share: int = 1) -> list[Order]:
    """One in so many, and of those one in five on the engines after the first: what differs there is the database."""
    return list(orders)[:: share if engine() == "sqlite" else share * 5]


def all_orders(first: int, second: int) -> Iterator[Order]:
    """Of so many steps each."""
    for chosen in combinations(range(first + second), first):
        yield [0 if position in chosen else 1 for position in range(first + second)]


def orders_with_two_switches(first: int, second: int) -> Iterable[Order]:
    """One stops anywhere, the other goes on to anywhere, the first ends, the other ends."""
    for one, other, steps, others in ((0, 1, first, second), (1, 0, second, first)):
        for done in range(1, steps):
            for meanwhile in range(1, others + 1):
                yield [one] * done + [other] * meanwhile + [one] * (steps + others)


def orders_with_one_stop(steps: int) -> Iterable[Order]:
    """One stops anywhere, the other goes on to its end."""
    for one, other in ((0, 1), (1, 0)):
        for done in range(1, steps):
            yield [one] * done + [other] * 99
