"""The pages of data fetches: what one would cost, how it goes, and what its documents change."""
