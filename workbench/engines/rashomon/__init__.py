"""Sets of equally good models: how much they disagree, and about whom."""
