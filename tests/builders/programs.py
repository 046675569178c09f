"""What the other end of the API does: ask with a key, follow the feed, walk through lists."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import Permission
from django.test import Client

from dnbmon_site.accounts.models import ApiKey, User, UserPermission

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

    def send(self, method: str, path: str, body: Any = None, /, *, word: str = "", **parameters: Any) -> Any:
        """A write; `word` is the Idempotency-Key."""
        address = f"/api/v1/{path}" + (f"?{urlencode(parameters, doseq=True)}" if parameters else "")
        headers = {**self.headers, **({"Idempotency-Key": word} if word else {})}
        data = "" if body is None else json.dumps(body)
        return self.client.generic(method, address, data, content_type="application/json", headers=headers)

    def post(self, path: str, body: Any = None, /, **more: Any) -> Any:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any = None, /, **more: Any) -> Any:
        return self.send("PUT", path, body, **more)

    def delete(self, path: str, **parameters: Any) -> Any:
        return self.send("DELETE", path, **parameters)

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
            parameters["after"] = page["next"]
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


def a_signed_in_person(*rights: str, name: str = "ann") -> Program:
    """Somebody who is signed in as staff, with these rights only."""
    user = User.objects.create_user(name, is_staff=True)
    for right in rights:
        app, codename = right.split(".")
        permission = Permission.objects.get(content_type__app_label=app, codename=codename)
        UserPermission.objects.create(user=user, permission=permission)
    client = Client()
    client.force_login(user)
    return Program(client)


@dataclass
class Followed:
    cursor: str | None
    items: list[Any] = field(default_factory=list)
    calls: int = 0

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.items]
