"""Is this list one of ours?  A row is recognised whatever was done to its names; a count carries its error."""
