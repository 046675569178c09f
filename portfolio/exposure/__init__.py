"""Your own money at stake with each company, by book and day: imported, converted, summed, and undone.

currencies, amounts < columns < validate; packed < ledger, rates < totals < refresh < upload, entries < admin, api.
May import imports (its readers), companies and models.
"""
