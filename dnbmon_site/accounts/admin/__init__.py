"""Pages of people, roles, API keys and sign-ins."""
