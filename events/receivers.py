"""What other apps announce, answered here."""
