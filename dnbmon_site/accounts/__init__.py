"""Users, roles and API keys: access and permissions."""
