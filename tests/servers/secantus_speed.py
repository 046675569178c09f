"""SecantusDB made quicker where tests wait for it most: joins, and looking up which indexes there are.

The answers stay the same. Every request of a person who is no superuser joins all permissions with the groups,
which took SecantusDB half a second.
"""

import copy
import gc
import threading
import types
from collections.abc import Callable, Iterable
from typing import Any

import secantus.aggregate as aggregate
import secantus.projection as projection
import secantus.server as server
import secantus.update as update
from secantus.paths import get_path
from secantus.storage import Storage

Document = dict[str, Any]
Index = tuple[str, Document, Document]
# From so many documents on, reading the other collection once is quicker than looking each of them up in an index.
MANY = 10
READING = {"aggregate", "find", "count", "distinct"}

here = threading.local()


def quicken() -> None:
    for change in (join_many_by_hash, copy_plainly, read_indexes_once_a_query):
        change()
    collect_garbage_seldom()


def join_many_by_hash() -> None:
    """And a sub-query that knows nothing of the document is answered once for all of them, as MongoDB does."""
    lookup, has_index = aggregate._stage_lookup_pipeline, aggregate._foreign_field_has_simple_index

    def joined(ctx: Any, docs: list[Document], source: str, name: str, let: Any, steps: Any, spec: Any) -> Any:
        here.by_hash = len(docs) > MANY
        is_the_same_for_all = not let and "localField" not in spec
        answered = lookup(ctx, docs[:1] if is_the_same_for_all else docs, source, name, let, steps, spec)
        return with_answer_of(answered, name, docs) if is_the_same_for_all else answered

    aggregate._stage_lookup_pipeline = joined
    aggregate._foreign_field_has_simple_index = lambda *requested: not is_by_hash() and has_index(*requested)


def is_by_hash() -> bool:
    """For the one join that asks next: those within it and behind it choose for themselves."""
    chosen, here.by_hash = getattr(here, "by_hash", False), False
    return bool(chosen)


def with_answer_of(first: list[Document], name: str, docs: list[Document]) -> list[Document]:
    """The other documents too; each has a copy of its own, which later stages may change."""
    others = list(map(plain_copy, docs[1:]))
    for other in others:
        aggregate._set_as_field(other, name, plain_copy(get_path(first[0], name)))
    return [*first, *others]


def copy_plainly() -> None:
    """`deepcopy` keeps a record of all it has seen, which documents do not need, and copies keys, days and bytes."""
    quicker = types.SimpleNamespace(copy=copy.copy, deepcopy=plain_copy)
    for module in (aggregate, projection, update):
        module.copy = quicker


def plain_copy(value: Any) -> Any:
    if type(value) is dict:
        return {key: plain_copy(member) for key, member in value.items()}
    if type(value) is list:
        return [plain_copy(member) for member in value]
    # All other values of a document are immutable.
    return copy.deepcopy(value) if isinstance(value, (dict, list, set)) else value


def read_indexes_once_a_query() -> None:
    """Instead of several times a document; a command that only reads changes none."""
    dispatch = server.dispatch
    read: Callable[[Any, str, str], Iterable[Index]] = Storage._iter_indexes

    def remembered(self: Any, database: str, collection: str) -> Iterable[Index]:
        known: dict[tuple[str, str], list[Index]] | None = getattr(here, "indexes", None)
        if known is None:
            return read(self, database, collection)
        if (database, collection) not in known:
            known[database, collection] = list(read(self, database, collection))
        return known[database, collection]

    def dispatched(command: Document, context: Any) -> Any:
        here.indexes = {} if next(iter(command)) in READING else None
        return dispatch(command, context)

    Storage._iter_indexes = remembered
    server.dispatch = dispatched


def collect_garbage_seldom() -> None:
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
