"""Is this list one of ours?  Rows are recognised whatever was done to their names; a count of them carries its error."""
