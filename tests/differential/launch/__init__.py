"""The predicted listen address against the sockets that really started servers open."""
