"""One typed function per command; its signature is the parser, its docstring the help."""
