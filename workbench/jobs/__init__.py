"""Long work outside the pages: a queue, a worker per device, and a store of results."""
