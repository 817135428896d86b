"""The web process's front door."""
