"""Shell scripts: read into a tree, and followed without being run."""
