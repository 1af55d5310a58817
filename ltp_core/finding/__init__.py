"""Does LTP drop what does not matter? One measurement over a whole data set, and its page."""
