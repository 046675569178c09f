"""What every answer of the API obeys: problem documents, parsers."""
