"""How the bundled models are made from the bundled tables."""
