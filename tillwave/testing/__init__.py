"""A mall in a box: broker, settlement, terminals with simulated devices, and phones, all real, on loopback.

For demonstrations, for Tillwave's own tests, and for the tests of whoever connects a register to Tillwave.
"""
