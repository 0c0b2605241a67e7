"""What a person sees: pages that hold no logic, every number of them taken from what was found."""
