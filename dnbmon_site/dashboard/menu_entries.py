"""What the menu consists of: groups, entries, and pages as their tabs."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the menu: a model's list, one of its other pages by name, or an address. Shown to those who may see
    the model's rows. `waiting` names the count that stands beside it; `heading` is the page's title where the tab's
    words are too short to stand alone; `words`: what else people call it when they search; `has_tabs_below`: its
    rows' pages have the tabs too."""

    title: Text
    model: str = ""
    name: str = "changelist"
    query: str = ""
    address: str = ""
    waiting: str = ""
    heading: Text = ""
    words: Text = ""
    has_tabs_below: bool = False
    # Where pages begin that stand below this one, though their addresses do not.
    below: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu. `rights`: one of them makes it the reader's task, where many more may look."""

    title: Text
    icon: str
    pages: tuple[Page, ...]
    rights: tuple[str, ...] = ()

    @property
    def waiting(self) -> str:
        return " ".join(page.waiting for page in self.pages if page.waiting)


@dataclass(frozen=True, slots=True)
class Group:
    title: Text
    entries: tuple[Entry, ...]
