"""What of the local Lambda runs inside a function's process, started by `child.py` beside this folder.

    recorder.py   which files of code are read, told as they are read
    prompts.py    pdb and its like at the terminal that runs `lambent dev`; read once pdb is imported
    debugger.py   waiting for debugpy's client; read where `--debug` is given

These are read by their paths, in whatever interpreter a function has: the standard library of Python 3.9 is all they
need, Lambent need not be installed there, and they leave no names in `sys.modules`.
"""
