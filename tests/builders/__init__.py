"""What tests are made of, one noun a module: rows, D&B's JSON values and the words for what many tests do."""
