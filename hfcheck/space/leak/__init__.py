"""What the Space would make public: secrets in files, signing keys that all can read, databases."""
