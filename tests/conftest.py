"""What all tests share: examples of hypothesis are the same on every run, and have all the time that they need.

`--hypothesis-profile=default` looks for new ones.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")
