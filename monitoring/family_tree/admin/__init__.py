"""The pages of family trees: what one would cost, how it goes, and the tree itself."""
