"""Riparian keeps a streaming catalogue from being carried off, and says how sure it is, in bits."""

__version__ = "0.1.0"
