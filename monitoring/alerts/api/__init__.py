"""Alerts in the API: lists of them, and what people and systems do with them."""
