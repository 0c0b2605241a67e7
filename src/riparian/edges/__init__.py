"""Where we are asked, and whom we tell: the servers and proxies in front of a catalogue."""
