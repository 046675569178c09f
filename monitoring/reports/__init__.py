"""Weeks and months in a report: page, PDF, spreadsheet and mail from one computation."""
