"""What all API responses share: problem documents, parsers, and the reference page."""
