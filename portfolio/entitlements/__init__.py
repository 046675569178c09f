"""What the key of a contract may use at D&B: fetched, kept whole, and read in every shape that D&B may use."""
