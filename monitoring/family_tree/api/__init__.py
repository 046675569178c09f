"""Family trees in the API: requested with the calls confirmed, read now and as of a day."""
