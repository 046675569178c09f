"""What reads publications in their order besides alerts and webhooks."""
