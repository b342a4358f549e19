"""Which folders are Spaces, and which files make them: discovery and the front matter."""
