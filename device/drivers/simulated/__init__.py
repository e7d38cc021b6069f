"""Every port of the device without hardware, as moody as the real one, worked from outside through a bench.

A bench is a folder. Each simulated device listens there on a Unix socket `<kind>-<name>.sock`, takes one line of JSON
a connection and answers with one; `bench.Bench` is the Python side of it. What outlasts a restart of the terminal (is
the device plugged in, what is broken) stands in `<kind>-<name>.state`.
"""
