"""Who takes letters to the post: a print house by a folder, or a carrier by HTTP."""
