"""What this app registers with core."""
