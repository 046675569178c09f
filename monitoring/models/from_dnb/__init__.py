"""What people fetch from D&B by calls that may incur costs: documents of companies, and family trees."""
