"""The forward passes: tokens removed, tokens masked, and the attention they share."""
