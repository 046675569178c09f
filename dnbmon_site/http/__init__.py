"""How requests are treated before a view sees them, and what a page may load."""
