"""The pages of imports, and what lists of companies offer of them."""
