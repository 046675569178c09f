"""Two-step verification: a code from an authenticator app (TOTP, RFC 6238) after the password, and recovery codes.

For users who sign in with a password here; the identity provider asks for its own second factor.
"""
