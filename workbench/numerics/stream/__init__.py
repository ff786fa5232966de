"""Near-copies of one network, each made again from a few numbers and never stored."""
