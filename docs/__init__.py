"""The documentation and what makes it: site, gallery, table of methods and models, screenshots."""
