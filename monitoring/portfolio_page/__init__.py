"""The portfolio on any day: where the risk is, where it moved, and what it could cost.

Imports the figures, the elements and the portfolio's exposure. Its modules load numpy, so they are imported when a page
is asked for.
"""
