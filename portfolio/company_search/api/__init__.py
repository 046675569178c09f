"""Company searches in the API."""
