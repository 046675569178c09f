"""What people fetch from D&B by calls that may cost: documents of companies, and family trees."""
