"""What can be wrong with a text whoever wrote it: one kind of fault a file, for every stage that looks for it."""
