"""One module or folder per family of methods; importing it registers them."""
