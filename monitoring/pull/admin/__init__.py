"""Pages of registrations and deliveries, and what people do there."""
