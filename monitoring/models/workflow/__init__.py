"""What people do with what D&B reported: reviews and decisions."""
