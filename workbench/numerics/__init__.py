"""What several engines share: the set function, its maskers, batching and solvers."""
