"""VST3 plug-ins: found, looked at and run in processes of their own, so that their crashes and hangs harm nothing.

::

    scan       folders -> one child a bundle (`probe`) -> what there is and what is blocked (`catalogue`)
    a render   row (`row`) -> `host` -> one child a plug-in (`child`), sound over a socket (`wire`)

Only the children load foreign code: `probe` and `child`, both through `native`.
"""
