"""What tests talk to over real connections on this machine: servers, doubles and plain clients."""
