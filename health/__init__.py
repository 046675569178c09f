"""Whether the program works: checks, numbers, incidents, and how it was.

models, checks < metrics < incidents < history < pages, jobs
"""
