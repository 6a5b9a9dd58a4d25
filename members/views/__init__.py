"""Pages about members, one module per place."""
