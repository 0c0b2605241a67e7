"""Stories of the house, each read from top to bottom: extraction turns accesses into decisions."""
