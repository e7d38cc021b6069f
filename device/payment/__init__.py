"""The domain: what was presented, what is due, what happened.

Knows no hardware, no network and no clock but the one it is given.
"""
