"""What D&B calls by paths: labels, severity, values compared and put into words."""
