"""Pages of contracts and of the contract year."""
