"""Which facts publications bring to rules, to which alerts they go, and what becomes of them afterwards."""
