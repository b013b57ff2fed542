"""The subcommands of `pdrt`, one module each.

A command module has its one-paragraph description as docstring, `HELP` (one line), `EXAMPLES` (the end of --help),
`configure(parser)` and `execute(options) -> exit code`. Modules with a leading underscore are shared by several.
"""
