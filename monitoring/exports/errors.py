"""What can go wrong with a file server. Apart from what speaks with it, whose libraries few processes need."""


class NotDelivered(Exception):
    """The files are not there: the text says why, and what to do."""


class KeyNotConfirmed(NotDelivered):
    """The server offers a key that is not confirmed: a new server, or another one in its place."""


class BadKey(ValueError):
    """The text is not a private key that can be used."""
