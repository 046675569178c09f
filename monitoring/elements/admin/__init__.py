"""The page of elements, and the filter of lists by element."""
