"""What the admin's pages share, and the pages of what stands in `core.models`."""

from core.admin import audit, exports, notices, saved_filters

__all__ = ["audit", "exports", "notices", "saved_filters"]
