"""The inbox of alerts, rules, and whom they reach."""
