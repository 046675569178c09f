"""What monitoring brought in the contract year, and what leaving companies out would save. May import reports."""
