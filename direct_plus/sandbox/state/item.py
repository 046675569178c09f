"""A notification on its way out, and the stamp that is put into its text."""

from dataclasses import dataclass

from direct_plus.sandbox.http.dates import stamp

NEVER, ALWAYS, ON_REPLAY = 0, 1, 2


@dataclass(frozen=True)
class Item:
    seq: int
    raw: bytes
    stamp: int
    stamped: int

    def served(self, *, replay: bool = False) -> bytes:
        if self.stamped == ALWAYS or (replay and self.stamped == ON_REPLAY):
            return stamped_text(self.raw, self.stamp)
        return self.raw


def stamped_text(raw: bytes, ms: int) -> bytes:
    """The text with a deliveryTimeStamp put in, nothing else touched; what is no object stays as it is."""
    text = raw.rstrip()
    if not text.startswith(b"{") or not text.endswith(b"}") or b'"deliveryTimeStamp"' in text[-80:]:
        return raw
    comma = b"" if text[1:-1].strip() == b"" else b", "
    return text[:-1] + comma + f'"deliveryTimeStamp": "{stamp(ms)}"}}'.encode()
