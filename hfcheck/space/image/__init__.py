"""The image that a Dockerfile makes: files, environment, command."""
