"""D&B's words for its codes: fetched once, kept, and used wherever a code is shown."""
