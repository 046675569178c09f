"""SecantusDB as a stand-in for MongoDB, with four of its answers put right.

Run as a process of its own, because its licence (GPL) is not this program's. It ends when its standard input does,
that is when the test session ends, however it ends.
"""

import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import secantus.aggregate as aggregate
import secantus.expressions as expressions
from secantus.expressions import MISSING
from secantus.paths import get_path
from secantus.server import SecantusDBServer

from tests.servers.secantus_speed import quicken


def flattened(spec: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """{sub: {a: 1}} → {"sub.a": 1}, which MongoDB takes for the same thing and SecantusDB gets right."""
    for key, value in spec.items():
        if isinstance(value, Mapping) and value and not any(name.startswith("$") for name in value):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def mend_project() -> None:
    """Nested `$project` computed the number 1 instead of including the member."""
    project_one = aggregate._project_one
    aggregate._project_one = lambda doc, spec, names: project_one(doc, dict(flattened(spec)), names)


def mend_add_fields() -> None:
    """Nested `$addFields` replaced the member instead of merging into it."""
    add_fields_one = aggregate._add_fields_one

    def mended(doc: dict[str, Any], spec: Mapping[str, Any], names: Any) -> Any:
        fields = dict(flattened(spec))
        is_nested = any("." in path for path in fields)
        return add_fields_one(doc, fields, names) if is_nested else with_fields(doc, fields, names)

    aggregate._add_fields_one = mended


def with_fields(doc: dict[str, Any], fields: Mapping[str, Any], names: Any) -> dict[str, Any]:
    """Members that are not touched are not copied."""
    values = {name: expressions.evaluate_or_missing(value, doc, names) for name, value in fields.items()}
    return {name: value for name, value in {**doc, **values}.items() if value is not MISSING}


def mend_type() -> None:
    """`$type` of what is missing said "object", or "null" for a member of a variable, instead of "missing"."""
    op_type = expressions._OPS["$type"]

    def mended(arg: Any, ctx: Any) -> str:
        return "missing" if is_missing(arg, ctx) else str(op_type(arg, ctx))

    expressions._OPS["$type"] = mended


def is_missing(arg: Any, ctx: Any) -> bool:
    if isinstance(arg, str) and arg.startswith("$$") and "." in arg:
        variable, path = arg.split(".", 1)
        holder = expressions._eval(variable, ctx)
        return not isinstance(holder, Mapping) or get_path(dict(holder), path, default=MISSING) is MISSING
    return expressions._eval_field_value(arg, ctx) is MISSING


def mend_now() -> None:
    """`$$NOW` carried a zone and stored dates none, so that no comparison between them was ever true."""
    resolve = expressions._resolve_var

    def mended(name: str, ctx: Any) -> Any:
        value = resolve(name, ctx)
        if name != "NOW" or value.tzinfo is None:
            return value
        return value.replace(tzinfo=None, microsecond=value.microsecond // 1000 * 1000)

    expressions._resolve_var = mended


def main() -> None:
    # Leaves through the `with` blocks, so that nothing stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    for mend in (mend_project, mend_add_fields, mend_type, mend_now):
        mend()
    quicken()
    with tempfile.TemporaryDirectory(prefix="dnbmon-secantus-") as directory:
        server = SecantusDBServer(host="127.0.0.1", port=0, storage_path=directory, cache_size="512M")
        server.start()
        print(f"mongodb://127.0.0.1:{server.port}/dnbmon", flush=True)
        sys.stdin.read()
        server.stop()


if __name__ == "__main__":
    main()
