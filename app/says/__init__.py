"""What is said: numbers with their units, findings, reasons, and the pieces of HTML that hold them."""
