"""Names as words: in lower case, without accents, and without what stands in every name, as legal forms do.

A word is found by its beginning. Scripts that put no spaces between words are found from any character on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from portfolio.companies.legal_forms import LEGAL_FORMS, LEGAL_FORMS_WITHOUT_SPACES

# What Unicode takes for letters of their own.
LETTERS = {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t"}
# As names are written where there are no such letters.
TRANSCRIBED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
# Without them another sound is meant.
VOICED = "\u3099\u309a"
JOINTS = "'’ʼ.&/-"
JOINT = re.compile(f"[{JOINTS}]")
TOKEN = re.compile(rf"[^\W_]+(?:[{JOINTS}][^\W_]+)*")
# Thai, Lao, Burmese, Khmer, Japanese, Chinese, Korean: a run of them, or of anything else.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
RUN = re.compile(f"(?P<unspaced>[{UNSPACED}]+)|[^{UNSPACED}]+")
LONGEST, LONGEST_RUN = 1000, 60
# Parts of “H&M” and “S.A.”, which are typed without what stands between them.
INITIALS = 2


class _Plain(dict[int, str | None]):
    """Each letter without what stands for an accent, found out once."""

    def __missing__(self, point: int) -> str | None:
        letter = chr(point)
        is_accent = unicodedata.category(letter).startswith("M") and letter not in VOICED
        self[point] = None if is_accent else letter
        return self[point]


PLAIN = _Plain({ord(letter): plain for letter, plain in LETTERS.items()})


def folded(text: str) -> str:
    """In lower case and without accents."""
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", letters.translate(PLAIN))


LEGAL_FORM_IN_RUN = re.compile(
    "|".join(map(re.escape, sorted(map(folded, LEGAL_FORMS_WITHOUT_SPACES), key=len, reverse=True)))
)


def transcribed(text: str) -> str:
    """“Müller” as “mueller”."""
    return folded(unicodedata.normalize("NFC", text).casefold().translate(TRANSCRIBED))


def words_of(text: str) -> set[str]:
    """All words, in every spelling."""
    return {word for spelling in _spellings(text) for word in _words(TOKEN.findall(spelling))}


def words_of_name(name: str) -> set[str]:
    """Without legal forms, unless there is nothing else."""
    found = {word for spelling in _spellings(name) for word in _words(_telling_tokens(spelling))}
    return found or words_of(name)


def asked_words(text: str) -> list[tuple[str, ...]]:
    """The words that somebody types, each in the spellings of which one has to begin a word of the company."""
    first, *others = (_asked(spelling) for spelling in _spellings(text))
    if others and len(others[0]) == len(first):
        return [tuple(dict.fromkeys(pair)) for pair in zip(first, others[0], strict=True)]
    return [(word,) for word in first]


def may_be_legal_form(word: str) -> bool:
    """What begins like one may be typed of one, which is no word that leads to a company."""
    return any(form.startswith(word) for form in LEGAL_FORMS)


def begins_a_word(asked: Iterable[str], words: Iterable[str]) -> bool:
    spellings = tuple(asked)
    return any(word.startswith(spellings) for word in words)


def _spellings(text: str) -> list[str]:
    text = text[:LONGEST]
    first = folded(text)
    return [first] if text.isascii() else list(dict.fromkeys([first, transcribed(text)]))


def _words(tokens: Iterable[str]) -> Iterator[str]:
    for token in tokens:
        parts = _parts(token)
        if len(parts) > 1:
            yield "".join(parts)
        for part in parts:
            yield from _pieces(part)


def _telling_tokens(text: str) -> Iterator[str]:
    # Forms that stand in a run are of scripts without spaces.
    tokens = TOKEN.findall(text if text.isascii() else LEGAL_FORM_IN_RUN.sub(" ", text))
    return (token for token in tokens if "".join(_parts(token)) not in LEGAL_FORMS)


def _parts(token: str) -> list[str]:
    return [token] if token.isalnum() else [part for part in JOINT.split(token) if part]


def _pieces(part: str) -> Iterator[str]:
    if part.isascii():
        yield part
        return
    for run in RUN.finditer(part):
        if run["unspaced"]:
            yield from (run[0][start:] for start in range(min(len(run[0]), LONGEST_RUN)))
        else:
            yield run[0]


def _asked(text: str) -> list[str]:
    tokens = list(_telling_tokens(text)) or TOKEN.findall(text)
    return [word for token in tokens for word in _asked_of(token)]


def _asked_of(token: str) -> list[str]:
    parts = _parts(token)
    is_one = not re.search("[.&/-]", token) or all(len(part) <= INITIALS for part in parts)
    return [run[0] for part in (["".join(parts)] if is_one else parts) for run in RUN.finditer(part)]
