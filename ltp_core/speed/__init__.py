"""What is timed, against whom, and what it costs."""
