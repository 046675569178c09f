"""Companies without a D-U-N-S number: D&B is asked for candidates, and people choose among them.

Each search is one call that may cost: it is confirmed before, counted, and its result is kept, so that a row is paid
once. Nobody but a person chooses; a chosen company goes through an import, whose confirmation holds.
"""
