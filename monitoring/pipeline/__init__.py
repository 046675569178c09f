"""A delivery all the way: read, inserted, history brought up to date, published."""
