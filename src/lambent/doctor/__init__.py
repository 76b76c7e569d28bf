"""What will go wrong on AWS, said before it does: facts of a project, checks of them, findings.

gathering.py    IO     a project and a template → Facts, by the modules below
resources.py    PURE   resources of a template → functions, doors, queues
packages.py     IO     what a project says that it needs
archives.py     IO     a zip → Archive
measuring.py    IO     a handler, loaded in a process of its own → Measured
probe.py        IO     what runs there
import_times.py PURE   what `python -X importtime` writes → a table of packages
model.py        PURE   Facts and Findings
checks/         PURE   one function for each thing that can go wrong, and the table of them
report.py       PURE   findings → text, JSON
"""
