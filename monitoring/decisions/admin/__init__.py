"""The pages of reviews and decisions: what is due, what was decided, and where tiers come from."""
