"""What a rule does on a data set, beside what is not pruned: the rows of `assets/results`."""
