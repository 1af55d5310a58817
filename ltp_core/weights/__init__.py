"""How the weights of a Hugging Face model are stored and loaded."""
