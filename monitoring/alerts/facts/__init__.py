"""Which facts a publication brings to rules, and what becomes of the facts of alerts afterwards."""
