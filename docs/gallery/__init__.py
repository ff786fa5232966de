"""Worked examples: pages whose code is run, and whose outputs are what came out."""
