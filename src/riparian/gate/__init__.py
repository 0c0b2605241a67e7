"""What an account may still do: decisions from evidence, budgets from arithmetic, and the way back."""
