"""Which explanation is faithful where: recovery of known functions, and of the published methods."""
