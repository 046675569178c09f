"""The page of a company: what it is, what happened to it, why D&B's values differ."""
