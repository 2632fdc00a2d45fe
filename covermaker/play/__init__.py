"""Hearing: two files on one time line, switched at the sample, in a process of its own.

`tape` reads a file at the device's rate, `deck` puts two of them on one time line with a loop, `ahead` holds what is
rendered before it is heard and picks A or B as it leaves, `output` is the device. `engine` drives them from commands,
`child` is its process, `client` the side of an app.
"""
