"""A company's profile, now and as of any time, folded from SEEDs and changes."""
