"""Coded sanity checks on results."""
