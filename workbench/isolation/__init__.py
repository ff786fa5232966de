"""Processes of our own with limits on memory, time, files and network."""
