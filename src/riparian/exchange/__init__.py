"""What platforms tell one another of what left: hashes, prints, addresses and times; never people."""
