"""The pages: find a company, decide on candidates, and the list of searches."""
