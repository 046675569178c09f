"""A user's own page of notifications, and the button “Follow” on other pages."""
