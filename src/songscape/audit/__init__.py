"""What is odd in the data: copies, templated lyrics, confounds, columns."""
