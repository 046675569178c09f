"""The monitored companies of a registration in the API."""
