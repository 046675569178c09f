"""What tests and people steer: commands of the sandbox's own API. Imports `state` and `api`."""
