"""What the other end of the API does: ask with a key, follow the feed, walk through lists."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from dnbmon_site.models import ApiKey

ENOUGH = 1000


@dataclass
class Program:
    client: Client
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def with_key(cls, **key: Any) -> "Program":
        _, plain = ApiKey.issue(**{"name": "data warehouse", "scopes": "read", **key})
        return cls(Client(), {"Authorization": f"Bearer {plain}"})

    def get(self, path: str, **parameters: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", parameters, headers=self.headers)

    def read(self, path: str, **parameters: Any) -> Any:
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def pages(self, path: str, **parameters: Any) -> Iterator[Any]:
        for _ in range(ENOUGH):
            page = self.read(path, **parameters)
            yield page
            if not page["next"]:
                return
            parameters["cursor"] = page["next"]
        raise AssertionError("the list does not end")

    def walk(self, path: str, **parameters: Any) -> list[Any]:
        return [item for page in self.pages(path, **parameters) for item in page["results"]]

    def follow(self, after: str | None = None, **parameters: Any) -> "Followed":
        """Read the feed until there is no more for now."""
        followed = Followed(after)
        for _ in range(ENOUGH):
            asked = parameters if followed.cursor is None else {"after": followed.cursor, **parameters}
            page = self.read("changes/", **asked)
            followed.items += page["results"]
            followed.calls += 1
            followed.cursor = page["next"]
            if not page["more"]:
                return followed
        raise AssertionError("the feed does not end")


@dataclass
class Followed:
    cursor: str | None
    items: list[Any] = field(default_factory=list)
    calls: int = 0

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.items]
