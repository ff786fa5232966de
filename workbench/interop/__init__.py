"""Results for other packages, and explanations from them; each package is loaded when asked for."""
