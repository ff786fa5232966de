"""Who is worse off under a model, how sure that is, why, and what helps."""
