"""The model of the Space as it would run: facts worked out from files alone."""
