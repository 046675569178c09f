"""The D-U-N-S numbers that people request, and D&B's side of it: each one costs money.

models < call_budgets, dnb_client, visibility < reference_data < companies < sync, entitlements < subjects
< registrations < billing < imports, proposals, reconciliation < exposure, company_search < exports, open_counts < jobs
< admin, api, commands
"""
