"""ApplicationMasters to read, to run and to copy from.

`wordcount` counts words in files by map and reduce tasks; `distributedshell` runs a command in
several containers; `idle` asks for nothing. They use `kubeyarn.am` alone.
"""
