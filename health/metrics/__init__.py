"""How fast it is, and what Prometheus reads."""
