"""Which facts publications bring to rules, to which alerts they go, and what becomes of the facts of alerts."""
