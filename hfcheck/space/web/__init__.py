"""What the Space answers over HTTP: applications, CORS, where tokens are verified."""
