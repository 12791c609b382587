"""How far a command is, shown to people: on a terminal, in a log, in a notebook."""
