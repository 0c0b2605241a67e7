"""From accesses to decisions."""

from riparian.flows.found import BY_DAY, EXPOSURE, REVIEW_MINUTES, TIMELINE, Found, Reach

__all__ = ["BY_DAY", "EXPOSURE", "REVIEW_MINUTES", "TIMELINE", "Found", "Reach"]
