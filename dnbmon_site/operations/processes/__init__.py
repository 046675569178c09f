"""The tree of processes that `up` starts, and how it is found again."""
