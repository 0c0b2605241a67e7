"""Where cases, the evidence in them, and the keys of the people who sign are kept."""
