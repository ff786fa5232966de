"""One renderer per kind of result."""
