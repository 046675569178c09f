"""Pages of call budgets and of the calls made."""
