"""The commands: `kubeyarn`, which runs and checks the parts, and `kubectl-yarn`, for users.

`main` lists the commands of `kubeyarn` and imports a command's module only when it is called, so
that `kubeyarn scheduler` does not load what `kubeyarn cluster` needs. `yarn` is the plugin, whose
commands have the options and the output of Hadoop's `yarn`: a module for each of `application`,
`applicationattempt`, `container`, `queue`, `node` and `logs`. It talks to the API server through
the user's own kubectl, with the user's own rights.
"""
