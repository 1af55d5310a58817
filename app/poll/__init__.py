"""A poll in class: the teacher's browser asks, phones vote, and everything goes by plain HTTP."""
