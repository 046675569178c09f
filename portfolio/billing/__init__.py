"""What D&B bills: the contract year, new billable companies, budgets, and what one person may do alone."""
