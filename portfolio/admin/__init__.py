"""The admin's pages of contracts and of what is wanted. Thin: read, call one function, show."""

from portfolio.admin import contracts

__all__ = ["contracts"]
