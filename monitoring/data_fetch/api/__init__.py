"""Data fetches in the API: requested with the calls confirmed, accepted or discarded."""
