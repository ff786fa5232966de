"""Side-by-side measurements against peers, as ratios within one run."""
