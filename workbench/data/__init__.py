"""Tables from files: readers, schema inference, checks that name column and row."""
