"""The official MongoDB backend with two holes closed; `base.py` says which."""
