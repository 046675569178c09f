"""What goes out: channels, their addresses, and the queue of messages with its retries."""
