"""The Python of the image: modules, names, values, and what loading the entry point runs."""
