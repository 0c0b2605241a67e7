"""Where things are kept: the ports in memory, and in one workspace folder."""
