"""The front page: what happened, and what needs a person. From roll-ups and keys only."""
