"""A second, plain account of what the stored deliveries say, and random worlds to compare it with the application's."""
