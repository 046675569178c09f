"""Corporate groups: the companies here under one global ultimate, as a tree, with their figures. May import the company
page."""
