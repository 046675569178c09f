"""The server that listens: routes, admission, sending. Imports all the others but the demonstration."""
