"""What calls that may cost are allowed, and which were made: every such call goes through `calls.counted_call`."""
