"""A company's profile, now and as of any time, from SEEDs and changes."""
